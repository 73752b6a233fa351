"""From pooled states to figures: every layer, pooling and pair of languages, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from crossin.core.hashing import hash64
from crossin.probing.measures import (
    Floats,
    cosines,
    debiased_cka,
    linear_cka,
    matched_cosines,
    mexa_hits,
    mismatched_cosines,
    retrieval_hits,
)

# Means over sentences, which have an interval; and figures of all sentences at once, which have none.
BY_SENTENCE = (
    "mexa",
    "retrieval",
    "retrieval_to",
    "retrieval_from",
    "cosine_matched",
    "cosine_mismatched",
    "cosine_difference",
)
OF_ALL = ("cka", "cka_debiased")
MEAN = "mean"
_TAILS = (0.025, 0.975)


class LayerFigure(NamedTuple):
    """A figure of `language` and `other` (usually the pivot) at a layer, and its 95% interval.

    `language` is `mean` for the mean over all languages but the pivot. Undefined values and intervals are
    nan.
    """

    layer: int
    pooling: str
    language: str
    other: str
    figure: str
    value: float
    low: float
    high: float


def chance(sentences: int) -> dict[str, float]:
    """The value for random states of those figures where it is a simple number."""
    retrieval = {name: 1 / sentences for name in BY_SENTENCE if name.startswith("retrieval")}
    return {"mexa": 1 / (2 * sentences - 1), **retrieval}


def resamples(sentences: int, draws: int, seed: int) -> Floats:
    """The weight of each sentence in each bootstrap draw, [draws, N]; each row sums to 1."""
    generator = np.random.default_rng(hash64("probe", str(seed)))
    taken = generator.multinomial(sentences, np.full(sentences, 1 / sentences), size=draws)
    weights: Floats = taken / sentences
    return weights


def sentence_values(states: npt.NDArray[Any], others: npt.NDArray[Any]) -> Floats:
    """The figures of `BY_SENTENCE` for each sentence, [N, 7], from states [N, H] of two languages."""
    cosine = cosines(states, others)
    to, back = retrieval_hits(cosine), retrieval_hits(cosine.T)
    matched, mismatched = matched_cosines(cosine), mismatched_cosines(cosine)
    columns = [mexa_hits(cosine), (to + back) / 2, to, back, matched, mismatched, matched - mismatched]
    return np.stack(columns, axis=1)


def layer_figures(
    layer: int,
    pooling: str,
    states: Mapping[str, npt.NDArray[Any]],
    pivot: str,
    weights: Floats,
    *,
    all_pairs: bool = False,
) -> list[LayerFigure]:
    """All figures of one layer and pooling, from its states [N, H] by language.

    Each language is compared with `pivot`, and with `all_pairs` with every other language too. The interval
    is a percentile bootstrap over sentences (`weights` [draws, N] of `resamples`): each sentence keeps its
    value, so the pool that is searched is fixed. CKA is not a mean over sentences, and repeated sentences
    would raise it, so it has no interval.
    """
    languages = [language for language in states if language != pivot]
    pairs = [(language, pivot) for language in languages]
    pairs += combinations(languages, 2) if all_pairs else []
    made: list[LayerFigure] = []
    against_pivot = []
    for language, other in pairs:
        values = sentence_values(states[language], states[other])
        whole = [measure(states[language], states[other]) for measure in (linear_cka, debiased_cka)]
        made += _figures(layer, pooling, language, other, values, whole, weights)
        if other == pivot:
            against_pivot.append((values, whole))
    mean_values = np.mean([values for values, _ in against_pivot], axis=0)
    mean_whole = np.mean([whole for _, whole in against_pivot], axis=0).tolist()
    return [*made, *_figures(layer, pooling, MEAN, pivot, mean_values, mean_whole, weights)]


def _figures(
    layer: int, pooling: str, language: str, other: str, values: Floats, whole: list[float], weights: Floats
) -> list[LayerFigure]:
    lows, highs = np.quantile(weights @ values, _TAILS, axis=0)
    columns = zip(BY_SENTENCE, values.mean(axis=0), lows, highs, strict=True)
    made = [(name, float(value), float(low), float(high)) for name, value, low, high in columns]
    made += [(name, value, float("nan"), float("nan")) for name, value in zip(OF_ALL, whole, strict=True)]
    return [LayerFigure(layer, pooling, language, other, *one) for one in made]
