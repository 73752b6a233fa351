from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crossin.training.batches import fixed_steps, passes, share_of
from crossin.training.document import Group, Row


def rows(lengths: list[int]) -> list[Row]:
    return [Row(n, str(n), Group("base", "en", "en"), [7] * length, 1) for n, length in enumerate(lengths)]


LENGTHS = st.lists(st.integers(2, 90), min_size=1, max_size=40)


@given(LENGTHS, st.integers(1, 200))
def test_every_row_is_in_one_pass_and_none_is_over_the_budget_but_a_row_alone(
    lengths: list[int], budget: int
) -> None:
    found = passes(rows(lengths), budget)
    assert sorted(row.number for part in found for row in part) == list(range(len(lengths)))
    for part in found:
        assert len(part) == 1 or sum(len(row.tokens) for row in part) <= budget


def test_the_longest_rows_come_first_and_rows_of_like_length_together() -> None:
    found = passes(rows([10, 50, 12, 48]), 100)
    assert [[len(row.tokens) for row in part] for part in found] == [[50, 48], [12, 10]]


@given(LENGTHS, st.integers(1, 5))
def test_processes_take_every_row_once(lengths: list[int], processes: int) -> None:
    taken = [row.number for rank in range(processes) for row in share_of(rows(lengths), rank, processes)]
    assert sorted(taken) == list(range(len(lengths)))


def test_processes_take_about_as_many_tokens() -> None:
    loads = [sum(len(row.tokens) for row in share_of(rows([90, 30, 30, 30]), rank, 2)) for rank in (0, 1)]
    assert loads == [90, 90]


def test_the_first_epoch_is_in_the_order_of_the_mixture_and_the_next_in_another() -> None:
    steps = fixed_steps(rows([5] * 20), 8, 2, seed=0)
    order = [row.number for step in steps for row in step]
    assert [len(step) for step in steps] == [8] * 5
    assert order[:20] == list(range(20))
    assert sorted(order[20:]) == list(range(20))
    assert order[20:] != list(range(20))
    assert [row.number for step in fixed_steps(rows([5] * 20), 8, 2, seed=1) for row in step] != order
