from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from math import comb, isnan, prod

import numpy as np
import pytest
from hypothesis import given

from crossin.metrics.choices import (
    ac3,
    accuracy,
    consistency,
    expected_consistency,
    figures,
    kappa,
    missing,
    right,
    wrong,
)
from crossin.metrics.table import AnswerTable
from tests.helpers.answer_tables import random_table, table, tables
from tests.helpers.errors import refused

# Item 1: all three agree on gold. Item 2: two agree on a wrong option, the third is right.
# Item 3: two agree on gold, the third gave no answer. Item 4: three different answers.
WORKED = table([[0, 0, 0], [2, 2, 1], [3, 3, -1], [0, 1, 2]], gold=[0, 1, 3, 3])


def test_a_worked_example() -> None:
    assert accuracy(WORKED).tolist() == [2 / 4, 2 / 4, 2 / 4]
    assert missing(WORKED).tolist() == [0, 0, 1 / 4]
    # Of 3 pairs a item, 3, 1, 1 and 0 agree; of the one triple, 1, 0, 0 and 0.
    assert consistency(WORKED, 2) == pytest.approx(5 / 12)
    assert consistency(WORKED, 3) == 1 / 4
    assert right(WORKED, 2) == pytest.approx(4 / 12)
    assert wrong(WORKED, 2) == pytest.approx(1 / 12)
    assert (right(WORKED, 3), wrong(WORKED, 3)) == (1 / 4, 0)


def test_a_worked_example_of_chance() -> None:
    # Shares of positions 0..3, in quarters: en 2 0 1 1, zh 1 1 1 1, vi 1 1 1 0 (one is missing).
    pairs = (2 * 1 + 0 + 1 + 1) + (2 * 1 + 0 + 1 + 0) + (1 + 1 + 1 + 0)
    assert expected_consistency(WORKED, 2) == pytest.approx(pairs / 16 / 3)
    assert expected_consistency(WORKED, 3) == pytest.approx((2 + 0 + 1 + 0) / 64)
    assert kappa(WORKED, 3) == pytest.approx((1 / 4 - 3 / 64) / (1 - 3 / 64))


def test_a_missing_answer_agrees_with_nothing_and_is_not_right() -> None:
    silent = table([[-1, -1, -1], [-1, -1, 0]])
    assert consistency(silent, 2) == 0
    assert accuracy(silent).tolist() == [0, 0, 1 / 2]
    assert missing(silent).tolist() == [1, 1, 1 / 2]
    assert expected_consistency(silent, 2) == 0


@given(tables())
def test_consistency_is_the_mean_over_all_subsets_of_languages(small: AnswerTable) -> None:
    languages = range(len(small.languages))
    for s in range(2, len(small.languages) + 1):
        agree, agree_on_gold, subsets = 0, 0, 0
        for row, gold in zip(small.answers.tolist(), small.gold.tolist(), strict=True):
            for subset in combinations(languages, s):
                chosen = {row[language] for language in subset}
                agree += len(chosen) == 1 and chosen != {-1}
                agree_on_gold += chosen == {gold}
                subsets += 1
        assert consistency(small, s) == pytest.approx(agree / subsets)
        assert right(small, s) == pytest.approx(agree_on_gold / subsets)
        assert wrong(small, s) == pytest.approx((agree - agree_on_gold) / subsets)


@given(tables())
def test_expected_consistency_is_the_chance_that_independent_draws_agree(small: AnswerTable) -> None:
    items, languages = small.answers.shape
    share = [[(small.answers[:, x] == a).sum() / items for a in range(4)] for x in range(languages)]
    for s in range(2, languages + 1):
        subsets = combinations(range(languages), s)
        chances = sum(prod(share[x][a] for x in subset) for subset in subsets for a in range(4))
        assert expected_consistency(small, s) == pytest.approx(chances / comb(languages, s))


@given(tables())
def test_every_figure_stays_in_its_range(small: AnswerTable) -> None:
    for name, value in figures(small).items():
        if name.startswith("kappa"):
            assert isnan(value) or value <= 1 + 1e-12
        else:
            assert 0 <= value <= 1
    for s in range(2, len(small.languages) + 1):
        assert right(small, s) + wrong(small, s) == pytest.approx(consistency(small, s))


@given(tables())
def test_agreement_falls_as_more_languages_must_agree(small: AnswerTable) -> None:
    values = [consistency(small, s) for s in range(2, len(small.languages) + 1)]
    assert values == pytest.approx(sorted(values, reverse=True))


@given(tables())
def test_the_order_of_items_and_languages_changes_nothing(small: AnswerTable) -> None:
    backwards = AnswerTable(
        items=small.items[::-1],
        languages=small.languages[::-1],
        groups=small.groups[::-1],
        tasks=small.tasks[::-1],
        answers=small.answers[::-1, ::-1],
        gold=small.gold[::-1],
        options=small.options[::-1],
    )
    assert figures(backwards) == pytest.approx(figures(small), nan_ok=True)


def test_who_always_takes_the_same_position_is_consistent_and_proves_nothing() -> None:
    always = table(np.zeros((8, 5), dtype=np.int64), gold=[0, 1, 2, 3] * 2)
    for s in range(2, 6):
        assert consistency(always, s) == 1
        assert expected_consistency(always, s) == 1
        assert isnan(kappa(always, s))
        assert right(always, s) == 1 / 4
        assert figures(always)[f"ac3_{s}"] == pytest.approx(0.4)
    assert accuracy(always).tolist() == [1 / 4] * 5


def test_kappa_of_pairs_is_that_of_conger() -> None:
    # Chance as in Conger 1980: that of Fleiss, with pooled shares, less the spread of the languages' own.
    whole = random_table(5, missing=0)
    share = np.array([[(column == a).mean() for a in range(4)] for column in whole.answers.T])
    pooled = (share.mean(axis=0) ** 2).sum()
    chance = pooled - (share.var(axis=0, ddof=1) / 4).sum()
    counts = np.array([[(row == a).sum() for a in range(4)] for row in whole.answers])
    agreed = (counts * (counts - 1)).sum(axis=1).mean() / (4 * 3)
    assert kappa(whole, 2) == pytest.approx((agreed - chance) / (1 - chance))
    assert kappa(whole, 2) != pytest.approx((agreed - pooled) / (1 - pooled))


def test_independent_guesses_have_no_kappa() -> None:
    guesses = random_table(1, items=20_000, known=0, missing=0)
    for s in (2, 3, 4):
        assert kappa(guesses, s) == pytest.approx(0, abs=0.01)
        assert consistency(guesses, s) == pytest.approx(4.0 ** (1 - s), abs=0.01)


def test_a_shared_bias_for_a_position_has_no_kappa_but_consistency() -> None:
    biased = table(np.random.default_rng(0).choice(4, size=(20_000, 3), p=[0.7, 0.1, 0.1, 0.1]))
    assert consistency(biased, 2) == pytest.approx(0.52, abs=0.01)
    assert kappa(biased, 2) == pytest.approx(0, abs=0.01)


def test_full_agreement_has_kappa_one_be_it_right_or_wrong() -> None:
    shared = np.repeat(np.arange(12)[:, None] % 4, 3, axis=1)
    for gold, on_gold in ((np.arange(12) % 4, 1), ((np.arange(12) + 1) % 4, 0)):
        agreed = table(shared, gold=gold)
        assert kappa(agreed, 2) == pytest.approx(1)
        assert right(agreed, 3) == on_gold


def test_ac3_is_the_harmonic_mean_of_accuracy_and_consistency() -> None:
    assert ac3(0.25, 1) == pytest.approx(0.4)
    assert ac3(0, 0) == 0
    assert ac3(1, 0) == 0
    assert ac3(0.5, 0.5) == pytest.approx(0.5)
    # The small term in the denominator shows in the last digits, as it does in SeaEval's own scores.
    assert ac3(0.36, 0.12) == pytest.approx(0.1799999999625, rel=0, abs=1e-15)


def test_figures_have_these_names() -> None:
    named = figures(WORKED)
    assert list(named) == [
        *("accuracy/en", "accuracy/zh", "accuracy/vi", "missing/en", "missing/zh", "missing/vi"),
        *("accuracy", "missing"),
        *("consistency_2", "expected_2", "kappa_2", "right_2", "wrong_2", "ac3_2"),
        *("consistency_3", "expected_3", "kappa_3", "right_3", "wrong_3", "ac3_3"),
    ]
    assert named["accuracy"] == 1 / 2
    assert named["missing"] == pytest.approx(1 / 12)
    assert named["ac3_3"] == pytest.approx(1 / 3)
    assert "consistency_2" not in figures(WORKED, sizes=[3])


def test_one_language_has_no_agreement() -> None:
    alone = {"accuracy/en": 1 / 2, "missing/en": 0, "accuracy": 1 / 2, "missing": 0}
    assert figures(table([[0], [1]])) == alone


@pytest.mark.parametrize("size", [0, 1, 4])
def test_a_size_that_no_subset_has_is_an_error(size: int) -> None:
    with refused(f"{size} languages", hint="from 2 to 3"):
        consistency(WORKED, size)


def test_many_languages_do_not_lose_digits() -> None:
    many = table(np.zeros((3, 1), dtype=np.int64))
    many = replace(many, languages=tuple(f"l{i}" for i in range(100)), answers=np.zeros((3, 100), dtype=int))
    assert consistency(many, 50) == pytest.approx(1)
    assert isnan(kappa(many, 50))


def test_items_may_differ_in_their_number_of_options() -> None:
    mixed = replace(WORKED, options=np.array([4, 5, 4, 6]))
    assert figures(mixed) == pytest.approx(figures(WORKED))


def test_100_languages_are_exact() -> None:
    many = np.random.default_rng(0).integers(-1, 4, (30, 100))
    whole = replace(table(many[:, :5]), languages=tuple(f"l{i}" for i in range(100)), answers=many)
    found = figures(whole)
    for s in (2, 3, 50, 97, 100):
        counts = [[int((row == a).sum()) for a in range(4)] for row in many]
        exact = sum(Fraction(comb(n, s), comb(100, s)) for row in counts for n in row) / 30
        assert found[f"consistency_{s}"] == pytest.approx(float(exact), rel=1e-12, abs=1e-300), s
        assert 0 <= expected_consistency(whole, s) <= 1
    shares = [[Fraction(int((many[:, x] == a).sum()), 30) for a in range(4)] for x in range(100)]
    pairs = sum(shares[x][a] * shares[y][a] for a in range(4) for x, y in combinations(range(100), 2))
    assert expected_consistency(whole, 2) == pytest.approx(float(pairs / comb(100, 2)), rel=1e-12)
