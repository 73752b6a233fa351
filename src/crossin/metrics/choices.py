"""Accuracy, consistency, AC3, and consistency by chance and by gold answer.

All figures need only integer sums over items: how often a language was right, chose a position, and how often
n languages chose the same option. Such sums are exact, so no figure depends on the order of items, and no
number grows with the number of subsets of languages: 100 languages have 10^29 subsets of 50.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from crossin.core.errors import CrossinError
from crossin.metrics.chance import chance_blocks, chance_of_sizes
from crossin.metrics.families import Block, Family, observed, ratio, sums_of_blocks
from crossin.metrics.table import MISSING, AnswerTable, Floats, Integers, require_parallel

Number = TypeVar("Number", float, Floats)

# SeaEval adds it to the denominator of AC3, so that 0 and 0 give 0; here too, for equal digits.
_AC3_EPSILON = 1e-10


def accuracy(table: AnswerTable) -> Floats:
    """Share of items answered with the gold option, in 0..1, one a language: [L].

    A missing answer is not right. As in SeaEval (arXiv 2309.04766) and CrossIn (arXiv 2404.11932), whose
    overall accuracy is the plain mean over languages.
    """
    return np.asarray(_observed(table)["accuracy"][0])


def missing(table: AnswerTable) -> Floats:
    """Share of items with no answer, in 0..1, one a language: [L]."""
    return np.asarray(_observed(table)["missing"][0])


def consistency(table: AnswerTable, s: int) -> float:
    """Share of item and subset-of-s-languages pairs in which all s languages chose the same option, in 0..1.

    `mean_i sum_a C(n_ia, s) / C(L, s)` with n_ia the number of languages that chose option a of item i: the
    closed form of the mean over all subsets in SeaEval (arXiv 2309.04766) and CrossIn (arXiv 2404.11932).
    Whether the answer is right does not matter. A missing answer agrees with nothing, not even with another
    missing answer. s is from 2 to L.
    """
    return float(_observed(table, s)["consistency"][0, 0])


def expected_consistency(table: AnswerTable, s: int) -> float:
    """The consistency of the languages by chance, in 0..1.

    Each language keeps its shares of positions, but in random order over the items:
    `E_s = sum_a e_s(p_1a .. p_La) / C(L, s)`, where p_la is the share of all items (those without an answer
    included) on which language l chose position a, and e_s the elementary symmetric polynomial. Where items
    are in pools, shares and order are within each pool, and E_s is the mean over pools, weighted by their
    items (`crossin.metrics.chance`). s is from 2 to L. For its source and limits see `kappa`.
    """
    return float(_observed(table, s)["expected"][0, 0])


def kappa(table: AnswerTable, s: int) -> float:
    """Consistency above chance, `(consistency_s - E_s) / (1 - E_s)`.

    1 is full agreement, 0 chance, below 0 less than chance; nan where E_s = 1: all languages always chose the
    same position. With nothing missing it is Conger's kappa of agreement among s raters (Psychological
    Bulletin 88, 1980), in which each rater keeps its own shares (Fleiss pools them). That a missing answer
    agrees with nothing is this project's own.

    It corrects for guessing and for a bias for positions. Where options are shuffled item by item, a model
    without such a bias chooses all K positions equally often, E_s is near K^(1-s) (1/K for pairs), and kappa
    is consistency on another scale. It does not correct for languages that prefer the content of the same
    wrong option; `right` and `wrong` show that. Without pools shares are of all items: where items differ in
    their number of options, `select` single tasks before reading kappa.
    """
    return float(_observed(table, s)["kappa"][0, 0])


def right(table: AnswerTable, s: int) -> float:
    """The part of consistency where the languages agree on the gold option, in 0..1.

    `mean_i C(n_i,gold, s) / C(L, s)`. This project's own; `right + wrong = consistency`.
    """
    return float(_observed(table, s)["right"][0, 0])


def wrong(table: AnswerTable, s: int) -> float:
    """The part of consistency where the languages agree on the same wrong option, in 0..1.

    This project's own; `right + wrong = consistency`.
    """
    return float(_observed(table, s)["wrong"][0, 0])


def ac3(accuracy: Number, consistency: Number) -> Number:
    """Harmonic mean of accuracy (the mean over languages) and consistency, in 0..1; 0 where both are 0.

    `2 acc cons / (acc + cons + 1e-10)`, from SeaEval (arXiv 2309.04766), used by CrossIn (arXiv 2404.11932).
    It does not prove knowledge: always answering the first of four options has accuracy 0.25, consistency 1
    and AC3 0.4.
    """
    return 2 * accuracy * consistency / (accuracy + consistency + _AC3_EPSILON)


def figures(table: AnswerTable, sizes: Sequence[int] | None = None) -> dict[str, float]:
    """Every figure of a table by name.

    `accuracy/<language>`, `missing/<language>`, `accuracy` and `missing` (means over languages); of a table
    with pools also `answered`, 1 less `missing`: the share of replies that name an entity; and for each
    subset size s (2 to L where `sizes` is None) `consistency_s`, `expected_s` (by chance), `kappa_s`,
    `right_s`, `wrong_s`, `ac3_s`.
    A table of one language has no consistency, nor has one that is not parallel.
    """
    return observed(answer_family(table, sizes))


def answer_family(table: AnswerTable, sizes: Sequence[int] | None = None) -> Family:
    """The figures of `figures` as a family, for intervals."""
    languages = table.languages
    several = range(2, len(languages) + 1 if table.parallel else 0)
    chosen = tuple(several if sizes is None else dict.fromkeys(sizes))
    _check(chosen, table)
    blocks = chance_blocks(table) if chosen else ()

    def named(sums: Floats) -> dict[str, Floats]:
        found = _estimate(sums, blocks, len(languages), chosen)
        found["answered"] = 1 - found["missing"]
        shares = ("accuracy", "missing", *(["answered"] if any(table.pools) else []))
        of_each = {f"{figure}/{x}": found[figure][:, i] for figure in shares for i, x in enumerate(languages)}
        means = {figure: found[figure].mean(axis=1) for figure in shares}
        of_sizes = {
            f"{figure}_{size}": found[figure][:, i]
            for i, size in enumerate(chosen)
            for figure in ("consistency", "expected", "kappa", "right", "wrong", "ac3")
        }
        return of_each | means | of_sizes

    return Family(_columns(table), named, blocks)


def _observed(table: AnswerTable, *sizes: int) -> dict[str, Floats]:
    _check(sizes, table)
    blocks = chance_blocks(table) if sizes else ()
    parts = [_columns(table), *(block.columns for block in blocks)]
    sums = np.hstack([part.sum(axis=0, keepdims=True) for part in parts])
    return _estimate(sums, blocks, len(table.languages), sizes)


def _check(sizes: Sequence[int], table: AnswerTable) -> None:
    languages = len(table.languages)
    for size in sizes:
        require_parallel(table)
        if not 2 <= size <= languages:
            message = f"consistency over {size} languages at a time is not defined for {languages} languages"
            several = f"choose sizes from 2 to {languages}"
            raise CrossinError(message, hint=several if languages > 1 else "answer in two or more languages")


def above_chance(agreement: Floats, expected: Floats) -> Floats:
    """`(agreement - expected) / (1 - expected)`, nan where chance alone explains full agreement."""
    return ratio(agreement - expected, 1 - expected)


def chosen_options(table: AnswerTable) -> npt.NDArray[np.bool_]:
    """Which position a language chose for an item: [I, L, K], K the most options of an item."""
    chosen: npt.NDArray[np.bool_] = table.answers[:, :, None] == np.arange(table.options.max())
    return chosen


def _columns(table: AnswerTable) -> Floats:
    """The terms that are summed over items, [I, C]: by language, asked, right and missing; for n from 2 to L,
    the number of options that exactly n languages chose, and whether exactly n chose gold.
    """
    languages = len(table.languages)
    correct = table.answers == table.gold[:, None]  # [I, L]
    several = np.arange(2, languages + 1)
    parts = (
        table.asked,
        correct,
        table.answers == MISSING,
        _agreeing(table.answers)[:, 2:],
        correct.sum(axis=1)[:, None] == several,
    )
    return np.hstack(parts, dtype=np.float64)


def _agreeing(answers: Integers) -> Integers:
    """The number of options that exactly n languages chose, for n = 0 .. L: [I, L + 1] (0 for n = 0)."""
    items, languages = answers.shape
    # Equal answers of an item stand together: a run for each option that was chosen.
    ordered = np.sort(answers, axis=1)
    begins = np.ones((items, languages), dtype=bool)
    begins[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=answers.size)
    row, known = starts // languages, ordered.ravel()[starts] >= 0
    counts = np.bincount(row[known] * (languages + 1) + lengths[known], minlength=items * (languages + 1))
    return counts.reshape(items, languages + 1)


def _estimate(
    sums: Floats, blocks: Sequence[Block], languages: int, sizes: tuple[int, ...]
) -> dict[str, Floats]:
    """Estimates from `sums`, sums over items of `_columns` and of the `chance_blocks` for W weightings:
    `accuracy` and `missing` [W, L]; `consistency`, `kappa`, `right`, `wrong`, `ac3` and `expected` (by
    chance) [W, S] for S `sizes` of subsets, which need a table that is parallel.
    """
    several = languages - 1
    ends = np.cumsum([languages, languages, languages, several, several])
    asked, correct, missing, agreeing, on_gold, _ = np.split(sums, ends, axis=1)
    items = asked[:, :1]
    # Of the subsets of s languages, n that agree make C(n, s) / C(L, s) agree; Python divides large integers
    # exactly.
    part = np.array(
        [[math.comb(n, s) / math.comb(languages, s) for s in sizes] for n in range(2, languages + 1)]
    ).reshape(several, len(sizes))
    accuracy, missed = ratio(correct, asked), ratio(missing, asked)
    if not sizes:
        return {"accuracy": accuracy, "missing": missed}
    consistency = agreeing @ part / items
    expected = chance_of_sizes(sums_of_blocks(sums, blocks), languages, sizes)
    return {
        "accuracy": accuracy,
        "missing": missed,
        "consistency": consistency,
        "kappa": above_chance(consistency, expected),
        "right": on_gold @ part / items,
        "wrong": (agreeing - on_gold) @ part / items,
        "ac3": ac3(accuracy.mean(axis=1, keepdims=True), consistency),
        "expected": expected,
    }
