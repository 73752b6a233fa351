from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.core.draws import fractions, with_replacement, without_replacement
from crossin.core.hashing import hash64


@given(st.integers(1, 3000), st.integers(0, 2**64 - 1), st.integers(0, 3))
def test_each_time_round_every_element_is_drawn_once(size: int, key: int, turn: int) -> None:
    drawn = without_replacement(turn * size + np.arange(size), size, key)
    assert sorted(drawn.tolist()) == list(range(size))


@given(st.integers(1, 500), st.lists(st.integers(0, 2000), max_size=30))
def test_a_draw_depends_on_nothing_but_its_slot(size: int, slots: list[int]) -> None:
    together = without_replacement(np.array(slots, dtype=np.int64), size, 7)
    alone = [without_replacement(np.array([slot]), size, 7)[0] for slot in slots]
    assert together.tolist() == alone


def test_each_time_round_the_order_is_fresh() -> None:
    rounds = without_replacement(np.arange(150), 50, 7).reshape(3, 50).tolist()
    assert rounds[0] != rounds[1] != rounds[2] != list(range(50))


def test_every_order_is_about_equally_likely() -> None:
    orders = [
        tuple(without_replacement(np.arange(3), 3, hash64("key", number)).tolist()) for number in range(3000)
    ]
    assert all(400 < orders.count(order) < 600 for order in set(orders))
    assert len(set(orders)) == 6


def test_neighbouring_slots_are_unrelated() -> None:
    drawn = without_replacement(np.arange(50_000), 50_000, 7)
    assert abs(np.corrcoef(drawn[:-1], drawn[1:])[0, 1]) < 0.02
    assert abs(np.corrcoef(np.arange(50_000), drawn)[0, 1]) < 0.02


def test_with_replacement_elements_come_again_and_all_come() -> None:
    drawn = with_replacement(np.arange(10_000), 100, 7)
    counts = np.bincount(drawn, minlength=100)
    assert 60 < counts.min() <= counts.max() < 140


def test_with_replacement_each_slot_may_have_a_size_of_its_own() -> None:
    sizes = np.array([1, 2, 1000] * 100)
    drawn = with_replacement(np.arange(300), sizes, 7)
    assert (drawn < sizes).all()
    assert drawn[2::3].tolist() == with_replacement(np.arange(2, 300, 3), 1000, 7).tolist()


def test_fractions_lie_in_the_unit_interval_and_fill_it() -> None:
    drawn = fractions(np.arange(10_000), 7)
    assert 0 <= drawn.min() < 0.01 < 0.99 < drawn.max() < 1


@pytest.mark.parametrize("draw", [with_replacement, without_replacement])
def test_the_key_decides(draw: object) -> None:
    assert callable(draw)
    first, again, other = (draw(np.arange(50), 50, hash64("seed", seed)).tolist() for seed in (1, 1, 2))
    assert first == again != other


def test_a_key_tells_its_parts_apart() -> None:
    assert len({hash64("ab", "c"), hash64("a", "bc"), hash64("abc"), hash64("ab", 1), hash64("ab1")}) == 5
