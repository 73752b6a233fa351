from __future__ import annotations

from dataclasses import replace
from math import isnan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics import bootstrap
from crossin.metrics.bootstrap import Figure, differences, intervals, resample, resample_difference
from crossin.metrics.choices import answer_family, figures
from crossin.metrics.families import Family, observed
from crossin.metrics.pairwise import agreement_family
from crossin.metrics.table import AnswerTable, Floats, select
from tests.helpers.answer_tables import random_table, table, tables
from tests.helpers.errors import refused


def width(figure: Figure) -> float:
    return figure.high - figure.low


@given(tables())
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
    takes = [np.bincount(taken, minlength=4) for taken in np.random.default_rng(8).integers(4, size=(50, 4))]
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
    for name, figure in intervals(whole, draws=100).items():
        assert (figure.value, figure.low, figure.high) == pytest.approx(
            (at_once[name].value, at_once[name].low, at_once[name].high), rel=0, abs=1e-12
        )


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
    with refused("language 'es'", "1 in all"):
        differences(whole, select(whole, languages=["en", "zh", "vi"]))
    with refused("item 'item-0'", "2 in all"):
        differences(whole, replace(whole, items=("other", *whole.items[1:])))
    with refused("item 'item-0'", "20 in all", "gold"):
        differences(whole, replace(whole, gold=(whole.gold + 1) % 4))
    with refused("item 'item-2'", "1 in all", "gold"):
        differences(whole, replace(whole, groups=(*whole.groups[:2], "another", *whole.groups[3:])))


def test_a_bootstrap_of_no_draws_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one draw"):
        intervals(random_table(0), draws=0)


def mean_of(values: Floats, name: str = "mean") -> Family:
    """The mean of one number an item; undefined where no item has one."""
    known = ~np.isnan(values)

    def estimate(sums: Floats) -> dict[str, Floats]:
        with np.errstate(invalid="ignore"):
            return {name: sums[:, 0] / sums[:, 1]}

    return Family(np.column_stack([np.where(known, values, 0), known]), estimate)


def test_any_family_of_figures_is_resampled() -> None:
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = resample([mean_of(values)], [str(i) for i in range(400)], draws=4000)["mean"]
    assert found.value == pytest.approx(values.mean())
    assert width(found) == pytest.approx(2 * 1.96 * values.std(ddof=1) / sqrt(400), rel=0.1)


def test_families_share_their_draws() -> None:
    whole = random_table(1)
    right = (whole.answers == whole.gold[:, None]).mean(axis=1)
    families = [mean_of(right), answer_family(whole), agreement_family(whole)]
    together = resample(families, whole.groups, draws=100)
    assert together["mean"].low == pytest.approx(together["accuracy"].low)
    assert together["accuracy"] == resample([answer_family(whole)], whole.groups, draws=100)["accuracy"]
    assert list(together) == [name for family in families for name in observed(family)]


def test_an_interval_is_made_of_the_draws_in_which_the_figure_is_defined() -> None:
    values = np.array([1.0, 2.0, *[np.nan] * 10])
    found = resample([mean_of(values)], [str(i) for i in range(12)], draws=500)["mean"]
    assert (found.low, found.value, found.high) == (1, 1.5, 2)
    alone = resample([mean_of(np.full(3, np.nan))], ["a", "b", "c"])["mean"]
    assert isnan(alone.value)
    assert isnan(alone.low)


def test_a_difference_of_families_is_paired() -> None:
    hard = np.random.default_rng(0).normal(0, 100, 50)
    better = hard + np.random.default_rng(1).normal(1, 0.1, 50)
    groups = [str(i) for i in range(50)]
    found = resample_difference([mean_of(better)], [mean_of(hard)], groups)["mean"]
    assert found.value == pytest.approx(better.mean() - hard.mean())
    assert 0.9 < found.low < found.high < 1.1


def test_families_that_do_not_match_are_refused() -> None:
    values, groups = np.ones(3), ["a", "b", "c"]
    with pytest.raises(ValueError, match="the same figures"):
        resample_difference([mean_of(values)], [mean_of(values, "other")], groups)
    with pytest.raises(ValueError, match="3 items have groups, and 2 have figures"):
        resample([mean_of(np.ones(2))], groups)


@given(st.integers(0, 10_000))
def test_the_p_value_of_a_difference_is_below_5_percent_where_its_interval_excludes_0(seed: int) -> None:
    found = differences(random_table(seed, items=30), random_table(seed + 1, items=30), draws=400)
    for name, figure in found.items():
        if isnan(figure.value):
            assert isnan(figure.p), name
        elif figure.low > 0 or figure.high < 0:
            assert figure.p <= 0.05, name
        else:
            assert figure.p >= 0.045, name


def test_the_p_value_of_no_difference_is_1_and_a_value_has_none() -> None:
    whole = random_table(3)
    assert {figure.p for figure in differences(whole, whole, draws=50).values()} == {1.0}
    assert all(isnan(figure.p) for figure in intervals(whole, draws=50).values())
