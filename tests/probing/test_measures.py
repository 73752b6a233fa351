"""The measures against loops that follow their definitions word for word."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from crossin.probing.measures import (
    Floats,
    cosines,
    debiased_cka,
    linear_cka,
    matched_cosines,
    mexa_hits,
    mismatched_cosines,
    retrieval_hits,
)

# Whole numbers make ties likely, which is where such code goes wrong.
STATES = st.tuples(st.integers(2, 7), st.integers(1, 4)).flatmap(
    lambda shape: st.tuples(*(arrays(np.float32, shape, elements=st.integers(-2, 2)) for _ in range(2)))
)


def random_states(sentences: int, width: int, seed: int = 0) -> npt.NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((sentences, width))


def turned(states: npt.NDArray[Any], seed: int = 5) -> npt.NDArray[Any]:
    rotation, _ = np.linalg.qr(random_states(states.shape[1], states.shape[1], seed))
    found: npt.NDArray[Any] = states @ rotation
    return found


def loop_cosine(one: Any, other: Any) -> float:
    lengths = float(np.sqrt((one.astype(float) ** 2).sum()) * np.sqrt((other.astype(float) ** 2).sum()))
    return float(one.astype(float) @ other.astype(float)) / lengths if lengths else 0.0


@given(STATES)
def test_cosines_are_those_of_each_row_and_column(states: tuple[Any, Any]) -> None:
    ours, theirs = states
    expected = [[loop_cosine(one, other) for other in theirs] for one in ours]
    np.testing.assert_allclose(cosines(ours, theirs), expected, atol=1e-9)


@given(STATES)
def test_retrieval_counts_the_nearest_and_shares_ties(states: tuple[Any, Any]) -> None:
    cosine = cosines(*states)
    for place, row in enumerate(cosine):
        nearest = [column for column, value in enumerate(row) if value >= max(row) - 1e-6]
        expected = 1 / len(nearest) if place in nearest else 0
        assert retrieval_hits(cosine)[place] == pytest.approx(expected)


@given(STATES)
def test_mexa_counts_what_is_first_in_its_row_and_its_column(states: tuple[Any, Any]) -> None:
    cosine = cosines(*states)
    for place in range(len(cosine)):
        rivals = [other for other in range(len(cosine)) if other != place]
        best = max(max(cosine[place, other], cosine[other, place]) for other in rivals)
        assert mexa_hits(cosine)[place] == (cosine[place, place] > best + 1e-6)


@given(STATES)
def test_mismatched_cosines_are_all_the_others_of_row_and_column(states: tuple[Any, Any]) -> None:
    cosine = cosines(*states)
    for place in range(len(cosine)):
        rivals = [other for other in range(len(cosine)) if other != place]
        expected = np.mean([[cosine[place, other], cosine[other, place]] for other in rivals])
        assert mismatched_cosines(cosine)[place] == pytest.approx(expected, abs=1e-9)
        assert matched_cosines(cosine)[place] == cosine[place, place]


def test_a_language_against_itself_is_perfect() -> None:
    states = random_states(40, 16)
    cosine = cosines(states, states)
    for hits in (retrieval_hits(cosine), mexa_hits(cosine), matched_cosines(cosine)):
        np.testing.assert_allclose(hits, 1)
    assert linear_cka(states, states) == pytest.approx(1)
    assert debiased_cka(states, states) == pytest.approx(1)


def test_random_states_score_chance() -> None:
    sentences, times = 20, 300
    made = [
        cosines(random_states(sentences, 8, 2 * seed), random_states(sentences, 8, 2 * seed + 1))
        for seed in range(times)
    ]
    # Three standard errors of a share of 6,000.
    retrieval, mexa = 1 / sentences, 1 / (2 * sentences - 1)
    for found, chance in ((retrieval_hits, retrieval), (mexa_hits, mexa)):
        error = 3 * np.sqrt(chance * (1 - chance) / (sentences * times))
        assert np.mean([found(cosine) for cosine in made]) == pytest.approx(chance, abs=error)


def test_states_that_are_all_alike_retrieve_by_chance_and_have_no_shape() -> None:
    alike = np.ones((8, 5), np.float32) + 1e-7 * random_states(8, 5).astype(np.float32)
    cosine = cosines(alike, alike)
    np.testing.assert_allclose(retrieval_hits(cosine), 1 / 8)
    np.testing.assert_allclose(mexa_hits(cosine), 0)
    assert np.isnan(linear_cka(alike, random_states(8, 5)))
    assert np.isnan(debiased_cka(random_states(8, 5), alike))


@pytest.mark.parametrize("per_sentence", [retrieval_hits, mexa_hits, matched_cosines, mismatched_cosines])
def test_the_order_of_the_sentences_does_not_matter(per_sentence: Any) -> None:
    ours, theirs = random_states(30, 4, 1), random_states(30, 4, 2)
    order = np.random.default_rng(3).permutation(30)
    moved = per_sentence(cosines(ours[order], theirs[order]))
    np.testing.assert_allclose(moved, per_sentence(cosines(ours, theirs))[order], atol=1e-9)


@pytest.mark.parametrize("cka", [linear_cka, debiased_cka])
def test_cka_does_not_see_turning_moving_or_scaling(cka: Any) -> None:
    ours = random_states(25, 6, 1)
    theirs = ours[:, :4] + 0.5 * random_states(25, 4, 2)
    assert cka(turned(ours) * 7 + 3, theirs) == pytest.approx(cka(ours, theirs))
    assert cka(theirs, ours) == pytest.approx(cka(ours, theirs))
    order = np.random.default_rng(3).permutation(25)
    assert cka(ours[order], theirs[order]) == pytest.approx(cka(ours, theirs))
    assert abs(cka(ours[order], theirs) - cka(ours, theirs)) > 0.1


def test_linear_cka_is_its_formula() -> None:
    ours, theirs = random_states(12, 5, 1), random_states(12, 3, 2)
    x, y = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    own = np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)
    assert linear_cka(ours, theirs) == pytest.approx(np.linalg.norm(x.T @ y) ** 2 / own)


def loop_hsic(k: Floats, m: Floats) -> float:
    """The mean over all ordered sets of four different sentences: what is unbiased by its making (Gretton et
    al., 2005): k_ij (m_ij + m_qr - 2 m_iq), products of different sentences only.
    """
    n = len(k)
    terms = [
        k[i, j] * (m[i, j] + m[q, r] - 2 * m[i, q])
        for i in range(n)
        for j in range(n)
        for q in range(n)
        for r in range(n)
        if len({i, j, q, r}) == 4
    ]
    return float(np.mean(terms))


def test_debiased_cka_is_the_mean_over_four_different_sentences() -> None:
    ours, theirs = random_states(6, 5, 1), random_states(6, 3, 2)
    k, m = ours @ ours.T, theirs @ theirs.T
    expected = loop_hsic(k, m) / np.sqrt(loop_hsic(k, k) * loop_hsic(m, m))
    assert debiased_cka(ours, theirs) == pytest.approx(expected)


def test_only_the_debiased_cka_of_unrelated_states_is_near_nothing() -> None:
    pairs = [(random_states(30, 200, 2 * seed), random_states(30, 200, 2 * seed + 1)) for seed in range(30)]
    assert np.mean([linear_cka(*pair) for pair in pairs]) > 0.8
    assert np.mean([debiased_cka(*pair) for pair in pairs]) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("sentences", [4, 10, 200])
def test_of_states_that_are_the_same_but_for_one_debiasing_leaves_nothing(sentences: int) -> None:
    """As where one sentence does not end with a full stop; rounding would otherwise be divided by itself."""
    for seed in range(10):
        one, other, third = random_states(3, 64, seed)
        states = np.tile(one, (sentences, 1))
        states[seed % sentences] = other
        assert np.isnan(debiased_cka(states, states))
        assert np.isnan(debiased_cka(random_states(sentences, 64), states))
        states[(seed + 1) % sentences] = third
        assert debiased_cka(states, states) == pytest.approx(1)


def test_debiased_cka_needs_four_sentences() -> None:
    assert np.isnan(debiased_cka(random_states(3, 5), random_states(3, 5, 1)))
    assert not np.isnan(debiased_cka(random_states(4, 5), random_states(4, 5)))
