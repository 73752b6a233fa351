"""The terms of the loss on pairs, as the trainer computes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from crossin.training.config import Align, Consist, Pairs, TrainConfig
from crossin.training.leaks import check_apart
from crossin.training.objectives.answers import answer_loss, option_logprobs
from crossin.training.objectives.distances import jensen_shannon
from crossin.training.objectives.texts import align_loss, sentence_loss, token_loss
from crossin.training.pairs import PairPool, PairStream, TokenizedQuestion, read_pool
from crossin.training.rows import TrainingRow
from crossin.training.sampling import rank_and_world_size
from crossin.training.trainer import Term

# Questions of each language on which the consistency gap is measured.
_MEASURED = 32
Version = TypeVar("Version")


@dataclass(frozen=True)
class PairTerms:
    """The terms, and the pool that their pairs come from."""

    terms: list[Term]
    pool: PairPool | None


def terms_of(config: TrainConfig, model: Any, tokenizer: Any, step_tokens: float, steps: int) -> PairTerms:
    """The terms of a config. `model` is not trained yet, and gives the reference of `dco`; `step_tokens` are
    the tokens of a step's rows on average, of which the pairs' tokens are `pairs.share`.
    """
    if config.pairs is None:
        return PairTerms([], None)
    pool = read_pool(config.pairs, tokenizer, config.batches)
    check_apart(pool, config.pairs.apart_from)
    rank, processes = rank_and_world_size()
    share = config.pairs.share / (bool(config.align) + bool(config.consist))
    run = _Run(config, config.pairs, steps, step_tokens * share / processes, rank, processes)
    terms = []
    if config.align:
        terms.append(_align_term(run, config.align, pool))
    if config.consist and config.consist.granularity == "answer":
        terms.append(_answer_term(run, config.consist, pool, model))
    elif config.consist:
        terms.append(_completion_term(run, config.consist, pool))
    return PairTerms(terms, pool)


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


@dataclass(frozen=True)
class _Run:
    """What the terms of a run share. tokens: of one term's pairs at a step, in this process."""

    config: TrainConfig
    pairs: Pairs
    steps: int
    tokens: float
    rank: int
    processes: int

    def term(
        self,
        settings: Align | Consist,
        versions: Mapping[str, Mapping[str, Version]],
        size: Callable[[Version], int],
        compute: Callable[[Any, list[tuple[Version, Version]], int], tuple[torch.Tensor, int]],
        least: int = 1,
    ) -> Term:
        """The term that `compute` gives for the model, a step's pairs and its number.

        versions: texts, questions or rows, by id, then by language. size: the tokens of one. least: the pairs
        of a step at least; a contrast needs two.
        """
        sizes = [size(one) for languages in versions.values() for one in languages.values()]
        count = max(least, round(self.tokens / (2 * sum(sizes) / len(sizes))))
        languages_of = {name: list(versions[name]) for name in versions}
        stream = PairStream(languages_of, self.pairs, self.config.seed, count)

        def loss(model: Any, step: int) -> tuple[torch.Tensor, int, int]:
            pairs = stream.at(step, self.rank, self.processes)
            both = [(versions[pair.id][pair.one], versions[pair.id][pair.other]) for pair in pairs]
            value, used = compute(model, both, step)
            return value, used, sum(size(one) for pair in both for one in pair)

        name = "align" if isinstance(settings, Align) else "consist"
        return Term(name, lambda step: settings.weight_at(step, self.steps), loss)


def _align_term(run: _Run, align: Align, pool: PairPool) -> Term:
    texts: dict[str, dict[str, Sequence[int]]] = {
        name: {language: row.tokens[: row.learned_from] for language, row in versions.items()}
        for name, versions in pool.rows.items()
    }
    for name, versions in pool.questions.items():
        texts[name] = {language: question.text for language, question in versions.items()}

    def compute(
        model: Any, both: list[tuple[Sequence[int], Sequence[int]]], _step: int
    ) -> tuple[torch.Tensor, int]:
        return align_loss(model, both, align.layers, align.temperature), len(both)

    return run.term(align, texts, len, compute, least=2)


def _answer_term(run: _Run, consist: Consist, pool: PairPool, model: Any) -> Term:
    references = _references(model, pool, consist) if consist.divergence == "dco" else {}

    def compute(
        model: Any, both: list[tuple[TokenizedQuestion, TokenizedQuestion]], step: int
    ) -> tuple[torch.Tensor, int]:
        held = [(references[left], references[right]) for left, right in both if references]
        return answer_loss(model, both, consist, held, f"{run.config.seed}/{step}/{run.rank}"), len(both)

    return run.term(consist, pool.questions, lambda question: question.size, compute)


def _references(model: Any, pool: PairPool, consist: Consist) -> dict[TokenizedQuestion, list[float]]:
    """The log-likelihoods of all options under the model before training."""
    model.eval()
    found: dict[TokenizedQuestion, list[float]] = {}
    with torch.no_grad():
        for versions in pool.questions.values():
            questions = list(versions.values())
            for question, logprobs in zip(
                questions, option_logprobs(model, questions, consist.length), strict=True
            ):
                found[question] = logprobs.tolist()
    return found


def _completion_term(run: _Run, consist: Consist, pool: PairPool) -> Term:
    def compute(
        model: Any, both: list[tuple[TrainingRow, TrainingRow]], _step: int
    ) -> tuple[torch.Tensor, int]:
        if consist.granularity == "sentence":
            return sentence_loss(model, both, consist), len(both)
        return token_loss(model, both, consist)

    least = 2 if consist.granularity == "sentence" else 1
    return run.term(consist, pool.rows, lambda row: len(row.tokens), compute, least)
