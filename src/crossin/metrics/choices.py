"""Accuracy, consistency, AC3, and consistency by chance and by gold answer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossin.core.errors import CrossinError
from crossin.metrics.estimates import Estimates, columns, estimate, harmonic_mean
from crossin.metrics.families import Family, observed
from crossin.metrics.table import AnswerTable, Floats


def accuracy(table: AnswerTable) -> Floats:
    """Share of items answered with the gold option, in 0..1, one a language: [L].

    A missing answer is not right. As in SeaEval (arXiv 2309.04766) and CrossIn (arXiv 2404.11932), whose
    overall accuracy is the plain mean over languages.
    """
    return np.asarray(_observed(table).accuracy[0])


def missing(table: AnswerTable) -> Floats:
    """Share of items with no answer, in 0..1, one a language: [L]."""
    return np.asarray(_observed(table).missing[0])


def consistency(table: AnswerTable, s: int) -> float:
    """Share of item and subset-of-s-languages pairs in which all s languages chose the same option, in 0..1.

    `mean_i sum_a C(n_ia, s) / C(L, s)` with n_ia the number of languages that chose option a of item i: the
    closed form of the mean over all subsets in SeaEval (arXiv 2309.04766) and CrossIn (arXiv 2404.11932).
    Whether the answer is right does not matter. A missing answer agrees with nothing, not even with another
    missing answer. s is from 2 to L.
    """
    return float(_observed(table, s).consistency[0, 0])


def expected_consistency(table: AnswerTable, s: int) -> float:
    """The consistency of the languages by chance, in 0..1.

    Each language keeps its shares of positions, but in random order over the items:
    `E_s = sum_a e_s(p_1a .. p_La) / C(L, s)`, where p_la is the share of all items (those without an answer
    included) on which language l chose position a, and e_s the elementary symmetric polynomial. s is from
    2 to L. For its source and limits see `kappa`.
    """
    return float(_observed(table, s).expected[0, 0])


def kappa(table: AnswerTable, s: int) -> float:
    """Consistency above chance, `(consistency_s - E_s) / (1 - E_s)`.

    1 is full agreement, 0 chance, below 0 less than chance; nan where E_s = 1: all languages always chose the
    same position. With nothing missing it is Conger's kappa of agreement among s raters (Psychological
    Bulletin 88, 1980), in which each rater keeps its own shares (Fleiss pools them). That a missing answer
    agrees with nothing is this project's own.

    It corrects for guessing and for a bias for positions. Where options are shuffled item by item, a model
    without such a bias chooses all K positions equally often, E_s is near K^(1-s) (1/K for pairs), and kappa
    is consistency on another scale. It does not correct for languages that prefer the content of the same
    wrong option; `right` and `wrong` show that. Shares are pooled over all items: where items differ in their
    number of options, `select` single tasks before reading kappa.
    """
    return float(_observed(table, s).kappa[0, 0])


def right(table: AnswerTable, s: int) -> float:
    """The part of consistency where the languages agree on the gold option, in 0..1.

    `mean_i C(n_i,gold, s) / C(L, s)`. This project's own; `right + wrong = consistency`.
    """
    return float(_observed(table, s).right[0, 0])


def wrong(table: AnswerTable, s: int) -> float:
    """The part of consistency where the languages agree on the same wrong option, in 0..1.

    This project's own; `right + wrong = consistency`.
    """
    return float(_observed(table, s).wrong[0, 0])


def ac3(accuracy: float, consistency: float) -> float:
    """Harmonic mean of accuracy (the mean over languages) and consistency, in 0..1; 0 where both are 0.

    `2 acc cons / (acc + cons + 1e-10)`, from SeaEval (arXiv 2309.04766), used by CrossIn (arXiv 2404.11932).
    It does not prove knowledge: always answering the first of four options has accuracy 0.25, consistency 1
    and AC3 0.4.
    """
    return harmonic_mean(float(accuracy), float(consistency))


def figures(table: AnswerTable, sizes: Sequence[int] | None = None) -> dict[str, float]:
    """Every figure of a table by name.

    `accuracy/<language>`, `missing/<language>`, `accuracy` and `missing` (means over languages), and for each
    subset size s (2 to L where `sizes` is None) `consistency_s`, `kappa_s`, `right_s`, `wrong_s`, `ac3_s`.
    A table of one language has no consistency.
    """
    return observed(answer_family(table, sizes))


def answer_family(table: AnswerTable, sizes: Sequence[int] | None = None) -> Family:
    """The figures of `figures` as a family, for intervals."""
    languages = len(table.languages)
    chosen = tuple(range(2, languages + 1) if sizes is None else dict.fromkeys(sizes))
    _check(chosen, languages)

    def named(sums: Floats) -> dict[str, Floats]:
        return _by_name(table, estimate(sums, languages, chosen), chosen)

    return Family(columns(table), named)


def _by_name(table: AnswerTable, estimates: Estimates, sizes: tuple[int, ...]) -> dict[str, Floats]:
    named = {f"accuracy/{language}": estimates.accuracy[:, i] for i, language in enumerate(table.languages)}
    named |= {f"missing/{language}": estimates.missing[:, i] for i, language in enumerate(table.languages)}
    named["accuracy"] = estimates.accuracy.mean(axis=1)
    named["missing"] = estimates.missing.mean(axis=1)
    kappas, harmonic = estimates.kappa, estimates.ac3
    for i, size in enumerate(sizes):
        named[f"consistency_{size}"] = estimates.consistency[:, i]
        named[f"kappa_{size}"] = kappas[:, i]
        named[f"right_{size}"] = estimates.right[:, i]
        named[f"wrong_{size}"] = estimates.wrong[:, i]
        named[f"ac3_{size}"] = harmonic[:, i]
    return named


def _observed(table: AnswerTable, *sizes: int) -> Estimates:
    _check(sizes, len(table.languages))
    return estimate(columns(table).sum(axis=0, keepdims=True), len(table.languages), sizes)


def _check(sizes: Sequence[int], languages: int) -> None:
    for size in sizes:
        if not 2 <= size <= languages:
            raise CrossinError(
                f"consistency over {size} languages at a time is not defined for {languages} languages",
                hint=f"choose sizes from 2 to {languages}"
                if languages > 1
                else "answer in two or more languages",
            )
