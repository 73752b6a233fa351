from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.mixture.recipe import Component
from crossin.mixture.samplers import in_proportion, in_turns, independent, weights_of
from tests.helpers.errors import refused

DIRECTIONS = [("zh", "en"), ("vi", "en"), ("de", "en")]


def weights(**entries: Any) -> list[float]:
    component = Component(kind="x2en", rows=1, **entries)
    shares = weights_of(component, DIRECTIONS, np.array([8100, 1600, 100]), "en")
    return [round(float(share), 4) for share in shares]


def test_uniform_and_unimax_begin_with_equal_shares() -> None:
    assert weights() == weights(sampler="unimax") == [0.3333, 0.3333, 0.3333]


def test_proportional_follows_the_number_of_rows() -> None:
    assert weights(sampler="proportional") == [0.8265, 0.1633, 0.0102]


def test_temperature_flattens() -> None:
    assert weights(sampler="temperature", temperature=1) == weights(sampler="proportional")
    assert weights(sampler="temperature", temperature=2) == [0.6429, 0.2857, 0.0714]


def test_a_temperature_near_zero_takes_the_largest_alone() -> None:
    assert weights(sampler="temperature", temperature=0.001) == [1, 0, 0]


def test_weights_of_none_that_can_be_drawn_are_an_error() -> None:
    with refused("zh>en, vi>en, de>en", field="weights"):
        weights(sampler="weights", weights={"th": 1})


def test_explicit_weights_are_shares_and_what_is_not_named_is_not_drawn() -> None:
    assert weights(sampler="weights", weights={"zh": 3, "vi": 1}) == [0.75, 0.25, 0]


def test_the_weight_of_a_pair_is_the_product_of_its_languages() -> None:
    component = Component(kind="x2x", rows=1, sampler="weights", weights={"en": 2, "zh": 3, "vi": 1})
    pairs = [("en", "zh"), ("en", "vi"), ("zh", "vi")]
    assert weights_of(component, pairs, np.array([1, 1, 1]), "en").tolist() == pytest.approx(
        [6 / 11, 2 / 11, 3 / 11]
    )


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 3))
def test_unimax_gives_each_language_the_same_until_it_is_exhausted(sizes: list[int], epochs: int) -> None:
    capacities = np.array(sizes) * epochs
    chosen, turns = in_turns(int(capacities.sum()), capacities, len(sizes), 7)
    assert np.bincount(chosen, minlength=len(sizes)).tolist() == capacities.tolist()
    for slots in range(len(chosen) + 1):
        counts = np.bincount(chosen[:slots], minlength=len(sizes))
        level = counts.max()
        # Each has as much as the one that has most, to within the round that is going on, or all it can give.
        assert all(
            count >= min(level - 1, capacity) for count, capacity in zip(counts, capacities, strict=True)
        )
    for direction in range(len(sizes)):
        assert turns[chosen == direction].tolist() == list(range(capacities[direction]))


def test_unimax_gives_no_more_than_there_is() -> None:
    chosen, _ = in_turns(100, np.array([3, 5]), 2, 7)
    assert len(chosen) == 8


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.integers(1, 300))
def test_in_proportion_every_share_is_kept_to_within_one_draw_at_any_length(
    shares: list[float], slots: int
) -> None:
    parts = np.array(shares) / sum(shares)
    labels = [str(number) for number in range(len(parts))]
    chosen, turns = in_proportion(slots, parts, labels, 7)
    longer, _ = in_proportion(2 * slots, parts, labels, 7)
    assert len(chosen) == slots
    assert chosen.tolist() == longer[:slots].tolist()
    for direction, part in enumerate(parts):
        mine = turns[chosen == direction]
        assert mine.tolist() == list(range(len(mine)))
        assert abs(len(mine) - part * slots) <= 1 + len(parts) * part


def test_independent_draws_follow_the_weights_and_are_unrelated() -> None:
    chosen = independent(np.arange(20_000), np.array([0.5, 0.3, 0.2]), 7)
    assert (np.bincount(chosen) / 20_000).tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.02)
    assert abs(np.corrcoef(chosen[:-1], chosen[1:])[0, 1]) < 0.03
