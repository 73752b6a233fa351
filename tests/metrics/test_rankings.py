from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import exp, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.metrics.bootstrap import resample
from crossin.metrics.families import observed
from crossin.metrics.rankings import rankc, rankc_chance, rankc_family, rankc_floor, rankc_references, ranked
from crossin.metrics.table import AnswerTable, Floats, select
from tests.helpers.answer_tables import ranked_tables, table

NAN = float("nan")


def rankc_of(first: list[int], second: list[int]) -> float:
    """The formula of the paper, on two rankings of an item's options, best first."""
    count = len(first)
    total = sum(exp(count - k) for k in range(1, count + 1))
    return sum(
        exp(count - j) / total * len(set(first[:j]) & set(second[:j])) / j for j in range(1, count + 1)
    )


def ranking(logprobs: list[float]) -> list[int]:
    return sorted(range(len(logprobs)), key=lambda option: -logprobs[option])


def test_a_worked_example() -> None:
    # en ranks 0 1 2, zh 1 0 2: no first option, two of the first two, three of three. vi ranks as en does.
    likely = np.log([[[0.6, 0.3, 0.1], [0.3, 0.6, 0.1], [0.8, 0.15, 0.05]]])
    small = table([[0, 1, 0]], options=3)
    w = np.exp([2, 1, 0]) / np.exp([2, 1, 0]).sum()
    assert rankc(small, likely)[0, 1] == pytest.approx(w[1] + w[2])
    assert rankc(small, likely)[0, 2] == pytest.approx(1)


@given(ranked_tables())
def test_it_is_the_formula_of_the_paper(world: tuple[AnswerTable, Floats]) -> None:
    small, logprobs = world
    matrix, counts = rankc(small, logprobs), ranked(small, logprobs)
    for x in range(len(small.languages)):
        for y in range(len(small.languages)):
            values = []
            for i, options in enumerate(small.options):
                ours, theirs = logprobs[i, x, :options].tolist(), logprobs[i, y, :options].tolist()
                if not any(isnan(value) for value in (*ours, *theirs)):
                    values.append(rankc_of(ranking(ours), ranking(theirs)))
            assert counts[x, y] == len(values)
            if x != y:
                assert matrix[x, y] == pytest.approx(np.mean(values) if values else NAN, nan_ok=True)


@given(ranked_tables())
def test_the_family_gives_the_same_figures_and_their_mean(world: tuple[AnswerTable, Floats]) -> None:
    small, logprobs = world
    matrix, found = rankc(small, logprobs), observed(rankc_family(small, logprobs))
    pairs = list(zip(*np.triu_indices(len(small.languages), k=1), strict=True))
    for x, y in pairs:
        name = f"rankc/{small.languages[x]}+{small.languages[y]}"
        assert found[name] == pytest.approx(matrix[x, y], nan_ok=True)
    mean = np.mean([matrix[x, y] for x, y in pairs])
    assert found["rankc"] == pytest.approx(mean, nan_ok=True)
    assert len(found) == len(pairs) + 1


@pytest.mark.parametrize("options", [1, 2, 3, 4, 5])
def test_the_value_of_chance_is_the_mean_over_all_rankings(options: int) -> None:
    fixed = list(range(options))
    every = [rankc_of(fixed, list(other)) for other in permutations(fixed)]
    assert rankc_chance(options) == pytest.approx(np.mean(every))


@pytest.mark.parametrize("options", [1, 2, 3, 4, 5])
def test_the_floor_is_the_lowest_of_all_rankings_and_that_of_opposite_ones(options: int) -> None:
    fixed = list(range(options))
    lowest = min(rankc_of(fixed, list(other)) for other in permutations(fixed))
    assert rankc_floor(options) == pytest.approx(lowest)
    assert rankc_floor(options) == pytest.approx(rankc_of(fixed, fixed[::-1]))


def test_chance_and_floor_with_four_options() -> None:
    assert f"{rankc_floor(4):.4f} {rankc_chance(4):.4f}" == "0.0902 0.3768"


def test_of_items_with_unequal_options_the_references_are_means() -> None:
    ragged = replace(table([[0, 0], [0, 1], [0, 0]]), options=np.array([4, 2, 3]))
    logprobs = np.zeros((3, 2, 4))
    logprobs[1, :, 2:] = logprobs[2, :, 3:] = NAN
    logprobs[2, 0] = NAN  # In one language only: not ranked.
    floor, chance = rankc_references(ragged, logprobs)
    assert floor == pytest.approx((rankc_floor(4) + rankc_floor(2)) / 2)
    assert chance == pytest.approx((rankc_chance(4) + rankc_chance(2)) / 2)
    assert all(map(isnan, rankc_references(ragged, np.full((3, 2, 4), NAN))))


def test_items_of_fewer_options_are_ranked_by_their_own() -> None:
    ragged = replace(table([[0, 0], [0, 1]]), options=np.array([4, 2]))
    logprobs = np.array(
        [[[-1, -2, -3, -4], [-1, -2, -3, -4]], [[-1, -2, NAN, NAN], [-2, -1, NAN, NAN]]], dtype=np.float64
    )
    of_two = rankc_of([0, 1], [1, 0])
    assert rankc(ragged, logprobs)[0, 1] == pytest.approx((1 + of_two) / 2)
    assert ranked(ragged, logprobs).tolist() == [[2, 2], [2, 2]]


def test_an_item_without_log_probabilities_drops_out_of_its_pairs_and_is_counted() -> None:
    small = table([[0, 0, 0], [1, 1, 1]], options=2)
    logprobs = np.array([[[-1, -2], [-1, -2], [-2, -1]], [[-1, -2], [NAN, NAN], [-1, -2]]])
    assert ranked(small, logprobs).tolist() == [[2, 1, 2], [1, 1, 1], [2, 1, 2]]
    assert rankc(small, logprobs)[0, 1] == pytest.approx(1)
    assert rankc(small, logprobs)[1, 2] == pytest.approx(rankc_of([0, 1], [1, 0]))
    none = np.full_like(logprobs, NAN)
    assert isnan(rankc(small, none)[0, 1])
    assert isnan(observed(rankc_family(small, none))["rankc"])


def test_equally_likely_options_rank_in_the_order_of_their_positions() -> None:
    small = table([[0, 0]], options=3)
    even = np.array([[[-1.0, -1.0, -1.0], [-1.0, -2.0, -3.0]]])
    assert rankc(small, even)[0, 1] == pytest.approx(1)


def test_an_impossible_option_ranks_last() -> None:
    small = table([[1, 1]], options=2)
    impossible = np.array([[[-np.inf, -1.0], [-2.0, -1.0]]])
    assert rankc(small, impossible)[0, 1] == pytest.approx(1)


@given(st.integers(0, 1000))
def test_an_interval_holds_its_value(seed: int) -> None:
    logprobs = np.log(np.random.default_rng(seed).dirichlet([1, 1, 1, 1], size=(60, 2)))
    whole = table(logprobs.argmax(axis=2))
    for name, figure in resample([rankc_family(whole, logprobs)], whole.groups, draws=200).items():
        assert figure.low < figure.value < figure.high, name


def test_one_language_has_no_pair() -> None:
    alone = select(table([[0, 1]], options=2), languages=["en"])
    assert rankc(alone, np.array([[[-1.0, -2.0]]])).tolist() == [[1]]
    assert observed(rankc_family(alone, np.array([[[-1.0, -2.0]]]))) == {}


def test_log_probabilities_of_another_table_are_refused() -> None:
    with pytest.raises(ValueError, match="do not match the table"):
        rankc(table([[0, 1]]), np.zeros((1, 2, 3)))
