"""The terms of the loss on pairs, as the trainer computes them."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import torch

from crossin.core.errors import CrossinError
from crossin.training.config import Consist, Pairs, TrainConfig
from crossin.training.leaks import check_apart
from crossin.training.objectives.answers import option_logprobs
from crossin.training.objectives.distances import jensen_shannon
from crossin.training.pairs import PairPool, read_pool
from crossin.training.preferences import Preference, read_preferences
from crossin.training.sampling import parts_of, rank_and_world_size
from crossin.training.sources import PairsAt, TermPair, TermSource, pair_sources, preference_source

# Questions of each language on which the consistency gap is measured.
_MEASURED = 32


class Measured(NamedTuple):
    """A term on some pairs of a step: its value (their part of the mean over all), of how many pairs, how
    many tokens were read, and the part of these pairs in the term's own figures.
    """

    value: torch.Tensor
    pairs: int
    tokens: int
    figures: dict[str, float]


class Term:
    """A term of the loss beside that of the rows, or in its place."""

    def __init__(self, source: TermSource, stream: PairsAt, model: Any, steps: int) -> None:
        self.name = type(source.settings).__name__.lower()
        self._source, self._stream, self._steps = source, stream, steps
        every = (example for step in range(steps) for example in self._at(step))
        self._loss = source.prepare(model, every)

    def _at(self, step: int) -> list[TermPair]:
        """The pairs of a step in this process."""
        return self._stream(step, rank_and_world_size()[0])

    def weight(self, step: int) -> float:
        """Its weight at a step (from 0)."""
        return self._source.settings.weight_at(step, self._steps)

    def parts(self, step: int, room: int) -> list[range]:
        """The places of a step's pairs in this process, in parts that are computed one after the other: of
        at most `room` tokens, or one larger pair, where the term allows it.
        """
        sizes = [self._source.size(example) for example in self._at(step)]
        if not self._source.separable:
            return [range(len(sizes))]
        return parts_of(sizes, room)

    def loss(self, model: Any, step: int, part: range | None = None) -> Measured:
        """The term for the model at a step, on all of its pairs in this process or on a part of them."""
        every = self._at(step)
        part = range(len(every)) if part is None else part
        chosen = every[part.start : part.stop]
        value, used, figures = self._loss(model, chosen, step, part.start)
        share = len(chosen) / len(every)
        figures = {name: figure * share for name, figure in figures.items()}
        return Measured(value * share, used, sum(map(self._source.size, chosen)), figures)

    def sizes(self, step: int) -> list[int]:
        """The tokens of each of a step's pairs in this process."""
        return list(map(self._source.size, self._at(step)))

    def longest(self, step: int) -> int:
        """The tokens of the largest pair of a step, where pairs can be computed one by one; else 0."""
        return max(self.sizes(step)) if self._source.separable else 0


class Terms(NamedTuple):
    """The terms of a run, how many steps it has, the pool of the pairs, and what was left out, by reason."""

    terms: list[Term]
    steps: int
    pool: PairPool | None
    skipped: Counter[str]


def terms_of(
    config: TrainConfig, model: Any, tokenizer: Any, row_tokens: float = 0.0, steps: int = 0
) -> Terms:
    """The terms of a config. `model` is not trained yet, and gives the reference of `dco` and `prefer`;
    `row_tokens` are the tokens of a step's rows on average, and `steps` the steps that all epochs take.

    Where only pairs are read, a step has `batches.pairs` of them, each term its share of the tokens; and
    there are as many steps as the term needs that takes the longest to see all of its pairs `epochs` times.
    """
    pool, preferences, skipped = _read(config, tokenizer)
    sources = []
    if pool and config.pairs and config.pairs.share:
        sources += pair_sources(config, config.pairs, pool)
    if preferences and config.prefer and config.prefer.share:
        sources.append(preference_source(config, config.prefer, preferences))
    if config.rows_share:
        step_tokens = row_tokens / config.rows_share
    else:
        step_tokens = config.batches.pairs / sum(source.share / source.tokens for source in sources)
    processes = rank_and_world_size()[1]
    streams = [source.stream(source.count(step_tokens)) for source in sources]

    def tokens_at(step: int) -> float:
        # The mean of the rows: which rows an adaptive sampler will draw is not known.
        return row_tokens + sum(
            source.size(pair)
            for source, stream in zip(sources, streams, strict=True)
            for process in range(processes)
            for pair in stream(step, process)
        )

    if not config.rows_share:
        # Few ids make fewer pairs than a step has room for.
        needed = (
            -(-source.pairs * config.epochs // (len(stream(0, 0)) * processes))
            for source, stream in zip(sources, streams, strict=True)
        )
        steps = max(needed)
    steps = config.limited(steps, tokens_at)
    model.eval()
    terms = [Term(source, stream, model, steps) for source, stream in zip(sources, streams, strict=True)]
    return Terms(terms, steps, pool, skipped)


def _read(config: TrainConfig, tokenizer: Any) -> tuple[PairPool | None, list[Preference], Counter[str]]:
    """The pairs and the preferences of a config, apart from the benchmarks that it names."""
    pairs, prefer = config.pairs, config.prefer
    pool = None
    preferences: list[Preference] = []
    skipped = Counter[str]()
    if pairs:
        pool = read_pool(pairs, tokenizer, config.batches, config.chat_template_kwargs)
        skipped += pool.skipped
        if config.consist:
            _check_directions(pool, pairs, config.consist)
    if prefer:
        preferences, lost = read_preferences(prefer.data, tokenizer, config.batches)
        skipped += lost
    benches = [bench for one in (pairs, prefer) if one for bench in one.apart_from]
    check_apart(pool or PairPool(), list(dict.fromkeys(benches)), preferences)
    return pool, preferences, skipped


def _check_directions(pool: PairPool, pairs: Pairs, consist: Consist) -> None:
    there = {language for versions in pool.questions.values() for language in versions}
    if unknown := sorted(consist.direction.keys() - there):
        raise CrossinError(
            f"there are no pairs in {', '.join(unknown)}",
            file=pairs.items,
            field="consist.direction",
            hint=f"choose among {', '.join(sorted(there))}",
        )


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
