from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.evaluation.hf.tokens import Continuation
from crossin.evaluation.hf.units import SHORTEST_PREFIX, Unit, plan_units, token_tree

# Few tokens and much in common, so that beginnings are shared at every depth.
SEQUENCES = st.lists(st.integers(0, 2), min_size=1, max_size=12)


@st.composite
def requests_of_a_key(draw: st.DrawFn) -> list[list[Continuation]]:
    paragraphs = draw(st.lists(st.lists(st.integers(0, 2), max_size=100), min_size=1, max_size=3))
    requests = []
    for _ in range(draw(st.integers(1, 8))):
        prompt = [*draw(st.sampled_from(paragraphs)), *draw(SEQUENCES)]
        options = draw(st.lists(SEQUENCES, min_size=1, max_size=4))
        requests.append([Continuation((*prompt, *option), len(prompt)) for option in options])
    return requests


def question(prompt: list[int], *options: list[int]) -> list[Continuation]:
    return [Continuation((*prompt, *option), len(prompt)) for option in options]


@given(requests_of_a_key(), st.integers(1, 300))
def test_every_request_is_in_one_unit_and_begins_with_its_prefix(
    requests: list[list[Continuation]], tokens: int
) -> None:
    units = plan_units(requests, tokens=tokens)
    assert sorted(number for unit in units for number in unit.requests) == list(range(len(requests)))
    for unit in units:
        prefix = tuple(token for run in unit.prefix for token in run)
        for option in (option for number in unit.requests for option in requests[number]):
            assert option.tokens[: len(prefix)] == prefix
            # The token that predicts the first scored one is computed in the unit itself.
            assert len(prefix) < option.start


@given(requests_of_a_key(), st.integers(1, 300))
def test_units_keep_to_the_limit_unless_a_request_alone_is_longer(
    requests: list[list[Continuation]], tokens: int
) -> None:
    for unit in plan_units(requests, tokens=tokens):
        size = len(token_tree([requests[number] for number in unit.requests], unit.depth).tokens)
        assert size <= tokens or len(unit.requests) == 1


@given(requests_of_a_key(), st.randoms(use_true_random=False))
def test_the_order_of_the_requests_does_not_matter(
    requests: list[list[Continuation]], random: object
) -> None:
    order = list(range(len(requests)))
    random.shuffle(order)  # type: ignore[attr-defined]

    def contents(units: list[Unit], of: list[list[Continuation]]) -> list[object]:
        return [(unit.prefix, [of[number] for number in unit.requests], unit.owed) for unit in units]

    shuffled = [requests[number] for number in order]
    assert contents(plan_units(shuffled, tokens=60), shuffled) == contents(
        plan_units(requests, tokens=60), requests
    )


def test_a_paragraph_is_computed_once_for_the_questions_that_do_not_fit_together() -> None:
    paragraph = list(range(SHORTEST_PREFIX + 10))
    requests = [question([*paragraph, 1000 + number], [1], [2, 3]) for number in range(6)]
    units = plan_units(requests, tokens=6)
    # Two tokens to compute a question: its own, and the first of its longer option.
    assert [len(unit.requests) for unit in units] == [3, 3]
    assert {unit.prefix for unit in units} == {(tuple(paragraph),)}
    assert [unit.owed for unit in units] == [len(paragraph), 0]


def test_a_short_beginning_is_not_worth_a_pass_of_its_own() -> None:
    requests = [question([*range(10), 1000 + number], [1], [2, 3]) for number in range(6)]
    assert {unit.prefix for unit in plan_units(requests, tokens=20)} == {()}


def test_shots_before_paragraphs_make_a_chain_of_prefixes() -> None:
    shots = list(range(100))
    requests = [
        question([*shots, *range(1000 * paragraph, 1000 * paragraph + 80), 7 + number], [1], [2])
        for paragraph in (1, 2)
        for number in range(4)
    ]
    units = plan_units(requests, tokens=3)
    assert [len(run) for run in units[0].prefix] == [100, 80]
    assert [unit.owed for unit in units if unit.owed] == [180, 80]


def test_beginnings_may_be_nested_deeper_than_functions_call_one_another() -> None:
    requests = [question(list(range(length)), [1], [2]) for length in range(1, 1500)]
    units = plan_units(requests, tokens=2)
    assert sorted(number for unit in units for number in unit.requests) == list(range(1499))


def test_what_is_scored_is_bounded_too() -> None:
    requests = [question([number, 1], [2], [3]) for number in range(8)]
    assert [len(unit.requests) for unit in plan_units(requests, places=4)] == [2, 2, 2, 2]


@pytest.mark.parametrize("options", [([1], [1, 2]), ([1, 2], [1]), ([1, 2], [1, 2])])
def test_an_option_may_begin_as_another_does(options: tuple[list[int], list[int]]) -> None:
    requests = [question([5, 6], *options)]
    assert plan_units(requests) == [Unit((), (0,), 0)]


def test_nothing_makes_no_units() -> None:
    assert plan_units([]) == []


@given(requests_of_a_key())
def test_all_in_one_unit_computes_the_fewest_tokens_possible(requests: list[list[Continuation]]) -> None:
    (unit,) = plan_units(requests, tokens=10**6)
    beginnings = {
        option.tokens[:length]
        for options in requests
        for option in options
        for length in range(1, len(option.tokens))
    }
    tree = token_tree([requests[number] for number in unit.requests], 0)
    assert sum(tree.own) == len(tree.tokens) == len(beginnings)
    assert all(before.tokens is not after.tokens for before, after in pairwise(requests[0]))


FIRST = [Continuation((1, 2, 3, 4), 2), Continuation((1, 2, 3, 5), 2)]
SECOND = [Continuation((1, 7, 8), 2), Continuation((1, 7, 9, 4), 2)]


def test_what_is_shared_stands_once() -> None:
    tree = token_tree([FIRST, SECOND], 0)
    assert tree.tokens == [1, 2, 3, 7, 9]
    assert tree.positions == [0, 1, 2, 1, 2]
    assert tree.own == [3, 2]


def test_a_token_sees_what_it_continues_and_nothing_else() -> None:
    tree = token_tree([FIRST, SECOND], 0)
    assert tree.visible.astype(int).tolist() == [
        [1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [1, 1, 1, 0, 0],
        [1, 0, 0, 1, 0],
        [1, 0, 0, 1, 1],
    ]


def test_each_scored_token_is_predicted_by_the_one_before_it() -> None:
    tree = token_tree([FIRST, SECOND], 0)
    assert tree.targets == [[3, 4], [3, 5], [8], [9, 4]]
    assert tree.places == [[1, 2], [1, 2], [3], [3, 4]]


def test_behind_a_prefix_only_the_rest_is_laid_out() -> None:
    tree = token_tree([FIRST], 1)
    assert (tree.tokens, tree.positions, tree.places[0]) == ([2, 3], [1, 2], [0, 1])
