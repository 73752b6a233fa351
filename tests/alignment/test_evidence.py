from __future__ import annotations

import numpy as np
import pytest

from crossin.alignment.evidence import Content, Weights, separation
from crossin.alignment.lengths import LengthBands
from crossin.alignment.measures import Measures, measure
from tests.helpers.alignment_rows import columns, parallel_rows


def measured(count: int, seed: int) -> tuple[Measures, Measures]:
    one, two = (measure(columns(side)) for side in parallel_rows(count, ("en", "zh"), seed))
    return one, two


@pytest.fixture(scope="module")
def content() -> Content:
    one, two = measured(3000, 0)
    bands = [LengthBands.fit(one.sizes[:, field], two.sizes[:, field]) for field in range(3)]
    found = Content.fit(one, two, bands, seed=0)
    assert found is not None
    return found


def test_pairs_that_were_not_fitted_are_separated_from_strangers(content: Content) -> None:
    one, two = measured(500, 1)
    strangers = two.take(np.roll(np.arange(500), 1))
    assert separation(content.log_odds(one, two), content.log_odds(one, strangers)) > 0.98
    assert content.separability > 0.98


def flagged(content: Content, odds: list[float]) -> list[int]:
    # Many good rows around, so that the threshold is the same in every test.
    line = np.concatenate([np.full(1000, -5.0), odds, np.full(1000, -5.0)])
    return (np.flatnonzero(content.mismatched(line, np.arange(len(line)))) - 1000).tolist()


def test_a_row_with_strong_evidence_is_flagged_alone(content: Content) -> None:
    assert flagged(content, [6.0]) == [0]


def test_doubtful_rows_stand_together(content: Content) -> None:
    assert flagged(content, [1.0]) == []
    assert flagged(content, [6.0, 6.0, 6.0, 1.0, 6.0]) == [0, 1, 2, 3, 4]


def test_a_good_row_in_bad_company_is_not_flagged(content: Content) -> None:
    assert flagged(content, [6.0, 6.0, 6.0, -1.0, 6.0, 6.0, 6.0]) == [0, 1, 2, 4, 5, 6]


def test_more_mismatched_rows_make_the_threshold_lower_but_never_below_its_least(content: Content) -> None:
    few, many = (np.r_[np.full(1000, -5.0), np.full(bad, 7.0)] for bad in (1, 300))
    assert 0.5 < content.threshold(many) <= content.threshold(few)
    # Where true pairs look doubtful in numbers, the threshold rises above them.
    assert content.threshold(np.r_[np.full(1000, -5.0), np.full(50, 2.0)]) >= 2.0


def test_weights_read_a_feature_that_is_wrong_at_both_ends() -> None:
    random = np.random.default_rng(0)
    good, bad = random.normal(0, 0.5, (2000, 1)), random.choice([-2.0, 2.0], (2000, 1))
    odds = Weights.fit(good, bad + random.normal(0, 0.2, (2000, 1))).log_odds
    assert odds(np.array([[-2.0]]))[0] > 2
    assert odds(np.array([[0.0]]))[0] < -2
    assert odds(np.array([[2.0]]))[0] > 2


def test_separation_is_the_area_under_the_curve() -> None:
    assert separation(np.array([0.0, 1.0]), np.array([2.0, 3.0])) == 1.0
    assert separation(np.array([0.0, 2.0]), np.array([1.0, 3.0])) == 0.75
