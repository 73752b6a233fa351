from __future__ import annotations

from dataclasses import replace
from math import isnan, sqrt

import numpy as np
import pytest
from answer_tables import random_table, table, tables
from hypothesis import given, settings

from crossin.errors import CrossinError
from crossin.metrics import AnswerTable, Figure, bootstrap, differences, figures, intervals, select


def width(figure: Figure) -> float:
    return figure.high - figure.low


@given(tables())
@settings(max_examples=30)
def test_the_observed_values_are_the_figures(small: AnswerTable) -> None:
    drawn = intervals(small, draws=5)
    assert {name: figure.value for name, figure in drawn.items()} == pytest.approx(
        figures(small), nan_ok=True
    )


def test_an_interval_holds_its_value() -> None:
    for name, figure in intervals(random_table(0)).items():
        assert figure.low <= figure.value <= figure.high, name


def test_a_draw_is_the_figure_of_a_table_with_its_groups_repeated() -> None:
    groups = "abbcccdddddd"
    whole = replace(random_table(5, items=12), groups=tuple(groups))
    takes = np.random.default_rng(8).multinomial(4, [1 / 4] * 4, size=50)
    resampled = []
    for weights in takes:
        rows = [row for row in range(12) for _ in range(weights["abcd".index(groups[row])])]
        part = table(whole.answers[rows], gold=whole.gold[rows])
        resampled.append(figures(part)["kappa_3"])
    drawn = intervals(whole, draws=50, seed=8)["kappa_3"]
    assert drawn.value == figures(whole)["kappa_3"]
    assert [drawn.low, drawn.high] == pytest.approx(np.quantile(resampled, [0.025, 0.975]).tolist())


@pytest.mark.parametrize("per_group", [1, 5])
def test_the_width_for_accuracy_is_that_of_the_clustered_standard_error(per_group: int) -> None:
    whole = random_table(2, items=600, per_group=per_group)
    means = (whole.answers == whole.gold[:, None]).mean(axis=1).reshape(-1, per_group).mean(axis=1)
    standard_error = means.std(ddof=1) / sqrt(len(means))
    drawn = intervals(whole, draws=4000)["accuracy"]
    assert width(drawn) == pytest.approx(2 * 1.96 * standard_error, rel=0.1)


def test_items_that_are_copies_of_each_other_add_no_certainty() -> None:
    single = random_table(3, items=100)
    copies = table(
        np.repeat(single.answers, 4, axis=0),
        gold=np.repeat(single.gold, 4),
        groups=[f"group-{i // 4:03}" for i in range(400)],
    )
    ungrouped = replace(copies, groups=copies.items)
    for name in ("accuracy", "consistency_3", "kappa_3", "ac3_3"):
        clustered, free = width(intervals(copies)[name]), width(intervals(ungrouped)[name])
        assert clustered == pytest.approx(2 * free, rel=0.15), name
        assert clustered == pytest.approx(width(intervals(single)[name]), rel=0.1), name


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    whole = random_table(4)
    assert intervals(whole, draws=200, seed=1) == intervals(whole, draws=200, seed=1)
    assert intervals(whole, draws=200, seed=1) != intervals(whole, draws=200, seed=2)


def test_the_order_of_items_does_not_change_an_interval() -> None:
    whole = random_table(4, items=60, per_group=3)
    order = np.random.default_rng(0).permutation(60)
    shuffled = AnswerTable(
        items=tuple(whole.items[i] for i in order),
        languages=whole.languages,
        groups=tuple(whole.groups[i] for i in order),
        tasks=whole.tasks,
        answers=whole.answers[order],
        gold=whole.gold[order],
        options=whole.options,
    )
    assert intervals(shuffled, draws=100) == intervals(whole, draws=100)


def test_batches_of_draws_do_not_change_an_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = random_table(4)
    at_once = intervals(whole, draws=100)
    monkeypatch.setattr(bootstrap, "_BATCH", 7 * 120)
    assert intervals(whole, draws=100) == at_once


def test_one_group_says_nothing_of_the_spread() -> None:
    alone = intervals(table([[0, 1], [0, 0]], groups=["same", "same"]))["accuracy"]
    assert alone.value == 3 / 4
    assert isnan(alone.low)
    assert isnan(alone.high)


def test_an_undefined_kappa_has_no_interval() -> None:
    always = intervals(table([[0, 0]] * 5, gold=[0, 1, 2, 3, 0]))["kappa_2"]
    assert isnan(always.value)
    assert isnan(always.low)


def test_a_kappa_that_is_undefined_in_some_draws_has_one() -> None:
    nearly = intervals(table([[0, 0]] * 4 + [[1, 2]]), draws=200)["kappa_2"]
    assert nearly.low <= nearly.value <= nearly.high


def test_95_of_100_intervals_hold_the_truth() -> None:
    # Groups of three items that are known together; truth: 0.4 known + 0.6 guessed among four = 0.55.
    held = 0
    for simulation in range(200):
        generator = np.random.default_rng(simulation)
        knows = np.repeat(generator.random(60) < 0.4, 3)[:, None]
        cells = np.where(knows, 0, generator.integers(0, 4, (180, 3)))
        world = table(cells, groups=[str(i // 3) for i in range(180)])
        drawn = intervals(world, draws=400, seed=simulation)["accuracy"]
        held += drawn.low <= 0.55 <= drawn.high
    assert 0.88 <= held / 200 <= 0.99


def test_a_table_differs_from_itself_by_exactly_nothing() -> None:
    whole = random_table(6, per_group=3)
    for name, figure in differences(whole, whole, draws=200).items():
        assert figure == Figure(0, 0, 0), name


def test_a_difference_is_paired() -> None:
    baseline = random_table(7, items=200, known=0.5)
    better = baseline.answers.copy()
    better[:20] = baseline.gold[:20, None]
    improved = replace(baseline, answers=better)
    drawn = differences(improved, baseline)["accuracy"]
    assert drawn.value == pytest.approx(figures(improved)["accuracy"] - figures(baseline)["accuracy"])
    assert 0 < drawn.low < drawn.value < drawn.high
    # Apart, the two intervals overlap: the same hard items are in both.
    assert intervals(improved)["accuracy"].low < intervals(baseline)["accuracy"].high
    reverse = differences(baseline, improved)["accuracy"]
    assert (reverse.low, reverse.high) == pytest.approx((-drawn.high, -drawn.low))


def test_a_difference_follows_names_not_places() -> None:
    baseline, whole = random_table(8, items=30), random_table(9, items=30)
    turned = AnswerTable(
        items=baseline.items[::-1],
        languages=baseline.languages[::-1],
        groups=baseline.groups[::-1],
        tasks=baseline.tasks[::-1],
        answers=baseline.answers[::-1, ::-1],
        gold=baseline.gold[::-1],
        options=baseline.options[::-1],
    )
    assert differences(whole, turned, draws=50) == differences(whole, baseline, draws=50)


def test_tables_of_different_questions_are_not_compared() -> None:
    whole = random_table(10, items=20)
    with pytest.raises(CrossinError, match=r"language 'es' \(1 in all\) is in one of them only"):
        differences(whole, select(whole, languages=["en", "zh", "vi"]))
    with pytest.raises(CrossinError, match=r"item 'item-0' \(2 in all\) is in one of them only"):
        differences(whole, replace(whole, items=("other", *whole.items[1:])))
    with pytest.raises(CrossinError, match=r"item 'item-0' \(20 in all\) has another gold"):
        differences(whole, replace(whole, gold=(whole.gold + 1) % 4))
    with pytest.raises(CrossinError, match=r"item 'item-2' \(1 in all\) has another gold"):
        differences(whole, replace(whole, groups=(*whole.groups[:2], "another", *whole.groups[3:])))


def test_a_bootstrap_of_no_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one draw"):
        intervals(random_table(0), draws=0)
