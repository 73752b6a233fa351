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
from crossin.training.pairs import Pair, PairPool, PairStream, TokenizedQuestion, read_pool
from crossin.training.rows import TrainingRow
from crossin.training.sampling import rank_and_world_size
from crossin.training.trainer import Term

# Questions of each language on which the consistency gap is measured.
_MEASURED = 32
Version = TypeVar("Version")
# An id's text, question or row, by id, then by language.
Versions = Mapping[str, Mapping[str, Version]]


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
    tokens = step_tokens * config.pairs.share / (bool(config.align) + bool(config.consist))
    terms = []
    if config.align:
        terms.append(_align_term(config, config.align, pool, tokens, steps))
    if config.consist and config.consist.granularity == "answer":
        terms.append(_answer_term(config, config.consist, model, pool, tokens, steps))
    elif config.consist:
        terms.append(_completion_term(config, config.consist, pool, tokens, steps))
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


def _align_term(config: TrainConfig, align: Align, pool: PairPool, tokens: float, steps: int) -> Term:
    texts: dict[str, dict[str, Sequence[int]]] = {
        name: {language: row.tokens[: row.learned_from] for language, row in versions.items()}
        for name, versions in pool.rows.items()
    }
    for name, versions in pool.questions.items():
        texts[name] = {language: question.text for language, question in versions.items()}

    def compute(
        model: Any, both: list[tuple[Sequence[int], Sequence[int]]], _pairs: list[Pair], _step: int
    ) -> tuple[torch.Tensor, int]:
        return align_loss(model, both, align.layers, align.temperature), len(both)

    return _term("align", config, align, texts, len, compute, tokens, steps, least=2)


def _answer_term(
    config: TrainConfig, consist: Consist, model: Any, pool: PairPool, tokens: float, steps: int
) -> Term:
    references = _references(model, pool.questions, consist) if consist.divergence == "dco" else {}
    rank, _ = rank_and_world_size()

    def compute(
        model: Any, both: list[tuple[TokenizedQuestion, TokenizedQuestion]], pairs: list[Pair], step: int
    ) -> tuple[torch.Tensor, int]:
        held = [(references[p.id, p.one], references[p.id, p.other]) for p in pairs if references]
        return answer_loss(model, both, consist, held, f"{config.seed}/{step}/{rank}"), len(both)

    def size(question: TokenizedQuestion) -> int:
        return question.size

    return _term("consist", config, consist, pool.questions, size, compute, tokens, steps)


def _references(
    model: Any, questions: Versions[TokenizedQuestion], consist: Consist
) -> dict[tuple[str, str], list[float]]:
    """The log-likelihoods of all options under the model before training."""
    found: dict[tuple[str, str], list[float]] = {}
    model.eval()
    with torch.no_grad():
        for name, versions in questions.items():
            for language, logprobs in zip(
                versions, option_logprobs(model, list(versions.values()), consist.length), strict=True
            ):
                found[name, language] = logprobs.tolist()
    return found


def _completion_term(
    config: TrainConfig, consist: Consist, pool: PairPool, tokens: float, steps: int
) -> Term:
    sentences = consist.granularity == "sentence"

    def compute(
        model: Any, both: list[tuple[TrainingRow, TrainingRow]], _pairs: list[Pair], _step: int
    ) -> tuple[torch.Tensor, int]:
        if sentences:
            return sentence_loss(model, both, consist), len(both)
        return token_loss(model, both, consist)

    def size(row: TrainingRow) -> int:
        return len(row.tokens)

    least = 2 if sentences else 1
    return _term("consist", config, consist, pool.rows, size, compute, tokens, steps, least)


def _term(
    name: str,
    config: TrainConfig,
    settings: Align | Consist,
    versions: Versions[Version],
    size: Callable[[Version], int],
    compute: Callable[[Any, list[tuple[Version, Version]], list[Pair], int], tuple[torch.Tensor, int]],
    tokens: float,
    steps: int,
    least: int = 1,
) -> Term:
    """The term that `compute` gives for the pairs of a step: about `tokens` tokens over all processes, where
    one version has `size` tokens, and at least `least` pairs (a contrast needs two).
    """
    assert config.pairs
    rank, processes = rank_and_world_size()
    sizes = [size(one) for languages in versions.values() for one in languages.values()]
    count = max(least, round(tokens / processes / (2 * sum(sizes) / len(sizes))))
    stream = PairStream({id_: list(versions[id_]) for id_ in versions}, config.pairs, config.seed, count)

    def loss(model: Any, step: int) -> tuple[torch.Tensor, int, int]:
        pairs = stream.at(step, rank, processes)
        both = [(versions[pair.id][pair.one], versions[pair.id][pair.other]) for pair in pairs]
        value, used = compute(model, both, pairs, step)
        return value, used, sum(size(one) for pair in both for one in pair)

    return Term(name, lambda step: settings.weight_at(step, steps), loss)
