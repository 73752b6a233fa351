"""The terms of the loss on pairs, as the trainer computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import torch

from crossin.training.config import Align, Consist, Pairs, TrainConfig
from crossin.training.leaks import check_apart
from crossin.training.objectives.answers import answer_loss, option_logprobs
from crossin.training.objectives.distances import jensen_shannon
from crossin.training.objectives.texts import align_loss, sentence_loss, token_loss
from crossin.training.pairs import PairPool, PairStream, TokenizedQuestion, read_pool
from crossin.training.sampling import rank_and_world_size

# Questions of each language on which the consistency gap is measured.
_MEASURED = 32
# From the model, a step's pairs and its number: a term's value, and how many pairs it is of.
Loss = Callable[[Any, list[tuple[Any, Any]], int], tuple[torch.Tensor, int]]


class Term:
    """A term of the loss beside that of the rows, computed on pairs of `versions`: texts, questions or rows,
    by id, then by language.

    tokens: of its pairs at a step, in this process. size: the tokens of a version. least: the pairs of a step
    at least; a contrast needs two.
    """

    def __init__(
        self,
        config: TrainConfig,
        steps: int,
        tokens: float,
        settings: Align | Consist,
        versions: Mapping[str, Mapping[str, Any]],
        size: Callable[[Any], int],
        loss: Loss,
        least: int = 1,
    ) -> None:
        assert config.pairs is not None
        self.name = "align" if isinstance(settings, Align) else "consist"
        self._settings, self._steps = settings, steps
        self._versions, self._size, self._loss = versions, size, loss
        sizes = [size(one) for languages in versions.values() for one in languages.values()]
        count = max(least, round(tokens / (2 * sum(sizes) / len(sizes))))
        self._stream = PairStream(versions, config.pairs, config.seed, count)

    def weight(self, step: int) -> float:
        """Its weight at a step (from 0)."""
        return self._settings.weight_at(step, self._steps)

    def loss(self, model: Any, step: int) -> tuple[torch.Tensor, int, int]:
        """Its value for the model at a step, how many pairs it is of, and how many tokens were read."""
        pairs = self._stream.at(step, *rank_and_world_size())
        both = [(self._versions[id][one], self._versions[id][other]) for id, one, other in pairs]
        value, used = self._loss(model, both, step)
        return value, used, sum(self._size(version) for pair in both for version in pair)


def terms_of(
    config: TrainConfig, model: Any, tokenizer: Any, step_tokens: float, steps: int
) -> tuple[list[Term], PairPool | None]:
    """The terms of a config, and the pool that their pairs come from. `model` is not trained yet, and gives
    the reference of `dco`; `step_tokens` are the tokens of a step's rows on average, of which the pairs'
    tokens are `pairs.share`.
    """
    pairs, align, consist = config.pairs, config.align, config.consist
    if pairs is None:
        return [], None
    pool = read_pool(pairs, tokenizer, config.batches, config.chat_template_kwargs)
    check_apart(pool, pairs.apart_from)
    share = pairs.share / (bool(align) + bool(consist))
    term = partial(Term, config, steps, step_tokens * share / rank_and_world_size()[1])
    terms = []
    if align:
        texts: dict[str, dict[str, Sequence[int]]] = {
            name: {language: row.prompt for language, row in versions.items()}
            for name, versions in pool.rows.items()
        }
        for name, asked in pool.questions.items():
            texts[name] = {language: question.text for language, question in asked.items()}

        def aligned(model: Any, both: list[tuple[Any, Any]], _: int) -> tuple[torch.Tensor, int]:
            return align_loss(model, both, align.layers, align.temperature), len(both)

        terms.append(term(align, texts, len, aligned, least=2))
    if consist and consist.granularity == "answer":
        references = _references(model, pool, consist) if consist.divergence == "dco" else {}

        def answered(model: Any, both: list[tuple[Any, Any]], step: int) -> tuple[torch.Tensor, int]:
            held = [(references[left], references[right]) for left, right in both if references]
            key = f"{config.seed}/{step}/{rank_and_world_size()[0]}"
            return answer_loss(model, both, consist, held, key), len(both)

        terms.append(term(consist, pool.questions, lambda question: question.size, answered))
    elif consist:

        def completed(model: Any, both: list[tuple[Any, Any]], _: int) -> tuple[torch.Tensor, int]:
            if consist.granularity == "sentence":
                return sentence_loss(model, both, consist), len(both)
            return token_loss(model, both, consist)

        least = 2 if consist.granularity == "sentence" else 1
        terms.append(term(consist, pool.rows, lambda row: len(row.tokens), completed, least))
    return terms, pool


def measured_gap(pool: PairPool, model: Any, pairs: Pairs) -> dict[str, float]:
    """The mean Jensen-Shannon divergence in nats of each language's answers from the pivot's, on the first
    questions of the pool; the pivot's own is 0.
    """
    gaps: dict[str, list[float]] = {}
    with torch.no_grad():
        questions = [versions for versions in pool.questions.values() if pairs.pivot in versions]
        for versions in questions[:_MEASURED]:
            found = dict(zip(versions, option_logprobs(model, list(versions.values()), "sum"), strict=True))
            pivot = found[pairs.pivot].log_softmax(-1)
            for language, logprobs in found.items():
                gap = jensen_shannon(pivot, logprobs.log_softmax(-1))
                gaps.setdefault(language, []).append(gap.item())
    return {language: sum(values) / len(values) for language, values in gaps.items()}


def _references(model: Any, pool: PairPool, consist: Consist) -> dict[TokenizedQuestion, list[float]]:
    """The log-likelihoods of all options under the model before training."""
    model.eval()
    found: dict[TokenizedQuestion, list[float]] = {}
    with torch.no_grad():
        for versions in pool.questions.values():
            questions = list(versions.values())
            logprobs = option_logprobs(model, questions, consist.length)
            found |= {question: one.tolist() for question, one in zip(questions, logprobs, strict=True)}
    return found
