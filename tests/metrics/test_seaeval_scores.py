from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, product
from math import comb
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from crossin.metrics.choices import accuracy, consistency
from crossin.metrics.seaeval import chances_of, drawn_accuracy, drawn_consistency, seaeval_scores
from crossin.metrics.table import AnswerTable
from tests.helpers.answer_tables import random_table, table, tables
from tests.helpers.errors import refused

approx = pytest.approx


def scores_of(answers: AnswerTable, names: Sequence[str]) -> dict[str, Any]:
    return seaeval_scores(chances_of(answers), answers.gold, names)


def fillings(row: list[int], options: int) -> list[list[int]]:
    """Every way in which a random draw may fill the missing answers of one item."""
    return [list(cells) for cells in product(*(range(options) if x < 0 else [x] for x in row))]


def agreement(row: list[int], s: int) -> float:
    subsets = list(combinations(row, s))
    return sum(len(set(subset)) == 1 for subset in subsets) / len(subsets)


def enumerated_consistency(answers: AnswerTable, s: int) -> float:
    """The expected value by enumeration of all draws; items are drawn independently."""
    means = [
        np.mean([agreement(row, s) for row in fillings(cells, int(options))])
        for cells, options in zip(answers.answers.tolist(), answers.options, strict=True)
    ]
    return float(np.mean(means))


@given(tables())
def test_the_closed_forms_are_means_over_all_draws(answers: AnswerTable) -> None:
    expected = drawn_consistency(chances_of(answers))
    for s in range(2, len(answers.languages) + 1):
        assert expected[s] == approx(enumerated_consistency(answers, s), abs=1e-12)
    drawn = [
        np.mean([np.array(row) == gold for row in fillings(cells, int(options))], axis=0)
        for cells, gold, options in zip(answers.answers.tolist(), answers.gold, answers.options, strict=True)
    ]
    assert drawn_accuracy(chances_of(answers), answers.gold) == approx(np.mean(drawn, axis=0))


def test_with_nothing_missing_they_are_the_plain_figures() -> None:
    answers = random_table(3, missing=0)
    assert drawn_accuracy(chances_of(answers), answers.gold) == approx(accuracy(answers))
    for s in (2, 3, 4):
        assert drawn_consistency(chances_of(answers))[s] == approx(consistency(answers, s))


def test_chance_is_one_over_the_number_of_options_of_the_item() -> None:
    answers = table([[0, -1], [-1, -1]], options=2)
    assert drawn_accuracy(chances_of(answers), answers.gold) == approx([0.75, 0.5])
    assert drawn_consistency(chances_of(answers))[2] == approx(0.5)


def test_the_field_notes_formula_for_missing_answers_is_the_same() -> None:
    answers = random_table(5, items=40, missing=0.4)
    languages, options = len(answers.languages), 4
    for s in range(2, languages + 1):
        added = []
        for row in answers.answers.tolist():
            m, chosen = row.count(-1), [row.count(a) for a in range(options)]
            hit = sum(
                comb(m, j) * sum(comb(n, s - j) for n in chosen) * options**-j for j in range(s)
            ) + comb(m, s) * options ** (1 - s)
            added.append(hit / comb(languages, s))
        assert drawn_consistency(chances_of(answers))[s] == approx(np.mean(added))


def test_a_tie_is_drawn_from_the_two() -> None:
    """English is sure of the first option; Chinese hesitates between the first two of four."""
    chances = np.array([[[1, 0, 0, 0], [0.5, 0.5, 0, 0]]])
    assert drawn_accuracy(chances, np.array([1])).tolist() == [0, 0.5]
    assert drawn_consistency(chances)[2] == approx(0.5)


def test_the_scores_have_the_shape_and_order_of_seaevals_file() -> None:
    scores = scores_of(table([[0, 0, 1], [2, 2, 2]]), ["English", "Chinese", "Vietnamese"])
    assert list(scores) == [
        "overall_acc",
        "language_acc",
        "consistency_score_2",
        "consistency_score_3",
        "detailed_consistency_score",
        "AC3_2",
        "AC3_3",
    ]
    assert scores["language_acc"] == {"English": 0.5, "Chinese": 0.5, "Vietnamese": 0}
    assert scores["detailed_consistency_score"] == {
        "2_combine": {"English,Chinese": 1.0, "English,Vietnamese": 0.5, "Chinese,Vietnamese": 0.5},
        "3_combine": {"English,Chinese,Vietnamese": 0.5},
    }
    assert scores["consistency_score_2"] == approx(2 / 3)
    accuracy_, consistency_ = scores["overall_acc"], scores["consistency_score_3"]
    assert scores["AC3_3"] == approx(2 * accuracy_ * consistency_ / (accuracy_ + consistency_ + 1e-10))


def test_more_subsets_than_a_file_can_name_are_refused() -> None:
    names = [f"language-{i}" for i in range(16)]
    many = replace(table([[0]]), languages=tuple(names), answers=np.zeros((1, 16), dtype=np.int64))
    with refused("16 languages", hint="at most 15"):
        scores_of(many, names)


@given(tables())
def test_consistency_is_the_mean_over_the_subsets(answers: AnswerTable) -> None:
    scores = scores_of(answers, answers.languages)
    for s in range(2, len(answers.languages) + 1):
        subsets = scores["detailed_consistency_score"][f"{s}_combine"]
        assert np.mean(list(subsets.values())) == approx(scores[f"consistency_score_{s}"])
