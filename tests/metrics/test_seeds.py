"""Means over seeds: what their intervals cover."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from crossin.metrics.bootstrap import Drawn, estimates, intervals
from crossin.metrics.choices import answer_family
from crossin.metrics.seeds import differences, over_seeds, stream
from crossin.metrics.table import Floats
from tests.helpers.answer_tables import random_table
from tests.helpers.paths import ROOT

GROUPS = 60


def of_seeds(seeds: list[int], known: float = 0.4, draws: int = 500) -> dict[int, Drawn]:
    """The accuracy of a model by seed, all asked the same questions."""
    tables = {seed: random_table(seed, items=GROUPS, known=known) for seed in seeds}
    return {
        seed: estimates([answer_family(table)], table.groups, draws=draws)["accuracy"]
        for seed, table in tables.items()
    }


def test_one_seed_has_the_interval_of_its_questions() -> None:
    table = random_table(1)
    one = estimates([answer_family(table)], table.groups, draws=300)
    alone = intervals(table, draws=300)
    assert {name: over_seeds([estimate]) for name, estimate in one.items()} == alone


def test_a_model_that_no_seed_changes_has_no_variance_of_seeds() -> None:
    [one] = of_seeds([3]).values()
    assert over_seeds([one, one, one]) == over_seeds([one])


def test_seeds_that_differ_widen_the_interval() -> None:
    [one] = of_seeds([3]).values()
    apart = [Drawn(one.value + by, one.draws + by) for by in (-0.1, 0.0, 0.1)]
    same, wide = over_seeds([one] * 3), over_seeds(apart)
    assert wide.value == pytest.approx(same.value)
    assert wide.low < same.low - 0.1
    assert wide.high > same.high + 0.1


def test_seeds_that_differ_no_more_than_their_questions_explain_narrow_it() -> None:
    # All seeds are equally good, and each is right on other questions.
    cells = [np.arange(GROUPS) % 4 == seed for seed in range(4)]
    found = [_estimate(one.astype(np.float64)) for one in cells]
    alone, mean = over_seeds(found[:1]), over_seeds(found)
    assert mean.high - mean.low < 0.1 * (alone.high - alone.low)


def test_two_seeds_that_are_all_right_and_all_wrong_leave_everything_open() -> None:
    sure = [Drawn(value, np.full(400, value)) for value in (0.0, 1.0)]
    found = over_seeds(sure, limits=(0, 1))
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def test_differences_are_paired_by_seed_and_by_the_draws_of_groups() -> None:
    ours, theirs = of_seeds([0, 1, 2]), of_seeds([1, 2, 5])
    apart = differences(ours, theirs)
    assert len(apart) == 2
    found = over_seeds(apart, tested=True)
    assert (found.value, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)


def test_an_undefined_figure_of_one_seed_leaves_the_mean_undefined() -> None:
    [one] = of_seeds([3]).values()
    found = over_seeds([one, Drawn(math.nan, np.full_like(one.draws, math.nan))])
    assert math.isnan(found.value)
    assert math.isnan(found.low)


def test_with_one_group_there_is_no_interval() -> None:
    table = random_table(1, items=5, per_group=5)
    found = estimates([answer_family(table)], table.groups, draws=50)["accuracy"]
    mean = over_seeds([found, found])
    assert mean.value == found.value
    assert math.isnan(mean.low)


def test_each_set_of_questions_has_draws_of_its_own() -> None:
    table = random_table(1)
    family = [answer_family(table)]
    drawn = [
        estimates(family, table.groups, draws=200, seed=stream(0, questions))["accuracy"].draws
        for questions in (0, 0, 1, 2)
    ]
    assert (drawn[0] == drawn[1]).all()
    for one, other in ((0, 2), (0, 3), (2, 3)):
        assert abs(np.corrcoef(drawn[one], drawn[other])[0, 1]) < 0.3


def simulated(
    seeds: int,
    of_seed: float,
    of_group: float,
    of_both: float,
    *,
    nested: bool,
    rounds: int,
    plain: bool = False,
) -> float:
    """How often the interval covers the true mean, 0, of normal values with these standard deviations.

    plain: seeds and groups are both drawn with replacement, as a comparison.
    """
    generator = np.random.default_rng(11)
    covered = 0
    for _ in range(rounds):
        groups = of_group * generator.standard_normal((seeds if nested else 1, GROUPS))
        cells = of_seed * generator.standard_normal((seeds, 1)) + groups
        cells = cells + of_both * generator.standard_normal((seeds, GROUPS))
        found = [_estimate(one, generator if nested else None) for one in cells]
        if plain:
            drawn = np.column_stack([one.draws for one in found])
            weights = generator.multinomial(seeds, [1 / seeds] * seeds, len(drawn)) / seeds
            low, high = np.quantile((weights * drawn).sum(axis=1), (0.025, 0.975))
        else:
            mean = over_seeds(found)
            low, high = mean.low, mean.high
        covered += low <= 0 <= high
    return covered / rounds


def _estimate(cells: Floats, generator: np.random.Generator | None = None) -> Drawn:
    """The mean of a seed's groups, with draws of its own by `generator`, or those of all seeds."""
    weights = SAME if generator is None else _draws(generator)
    return Drawn(float(cells.mean()), weights @ cells)


def _draws(generator: np.random.Generator) -> Floats:
    return generator.multinomial(GROUPS, [1 / GROUPS] * GROUPS, 400) / GROUPS


SAME = _draws(np.random.default_rng(0))


@pytest.mark.parametrize("nested", [False, True])
def test_the_interval_covers_the_true_mean_as_often_as_it_says(nested: bool) -> None:
    assert 0.91 <= simulated(3, 0.05, 0.4, 0.3, nested=nested, rounds=300) <= 0.985


# The rows of the table in docs/experiment-results.md: seeds, the standard deviations, and the coverage of our
# intervals and of draws of both.
ROWS = re.findall(
    r"^\| (\d+) \| (\.\d+) \| (\.\d+) \| (\.\d+) \| (\d+)% \| (\d+)% \|$",
    (ROOT / "docs" / "experiment-results.md").read_text("utf-8") if (ROOT / "docs").is_dir() else "",
    re.MULTILINE,
)


@pytest.mark.slow
@pytest.mark.parametrize(("seeds", "of_seed", "of_group", "of_both", "ours", "plain"), ROWS)
def test_docs_state_the_simulated_coverage(
    seeds: str, of_seed: str, of_group: str, of_both: str, ours: str, plain: str
) -> None:
    sizes = float(of_seed), float(of_group), float(of_both)
    for said, draws_both in ((ours, False), (plain, True)):
        found = simulated(int(seeds), *sizes, nested=False, rounds=2000, plain=draws_both)
        assert 100 * found == pytest.approx(float(said), abs=0.6)


@pytest.mark.slow
def test_docs_have_rows_of_coverage() -> None:
    assert len(ROWS) >= 8
