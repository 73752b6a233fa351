from __future__ import annotations

import numpy as np
import pytest

from crossin.probing.figures import BY_SENTENCE, MEAN, chance, layer_figures, resamples, sentence_values
from crossin.probing.measures import debiased_cka, linear_cka

LANGUAGES = ("en", "es", "vi", "zh")
GENERATOR = np.random.default_rng(0)
SHARED = GENERATOR.standard_normal((40, 6))
STATES = {
    language: SHARED + noise * GENERATOR.standard_normal((40, 6))
    for language, noise in zip(LANGUAGES, (0.0, 0.3, 1.0, 3.0), strict=True)
}
WEIGHTS = resamples(40, 500, 0)


def test_each_language_is_held_against_the_pivot_and_their_mean_is_plain() -> None:
    made = layer_figures(3, "last", STATES, "en", WEIGHTS)
    assert {(one.language, one.other) for one in made} == {(x, "en") for x in (*LANGUAGES[1:], MEAN)}
    assert {(one.layer, one.pooling) for one in made} == {(3, "last")}
    by_name = {(one.language, one.figure): one.value for one in made}
    for figure in {one.figure for one in made}:
        of_languages = [by_name[language, figure] for language in LANGUAGES[1:]]
        assert by_name[MEAN, figure] == pytest.approx(np.mean(of_languages))
    assert by_name["es", "cka"] == pytest.approx(linear_cka(STATES["es"], STATES["en"]))
    assert by_name["es", "cka_debiased"] == pytest.approx(debiased_cka(STATES["es"], STATES["en"]))
    assert by_name["es", "mexa"] > by_name["vi", "mexa"] > by_name["zh", "mexa"]


def test_all_pairs_adds_every_two_languages_once() -> None:
    made = layer_figures(0, "mean", STATES, "en", WEIGHTS, all_pairs=True)
    pairs = {(one.language, one.other) for one in made}
    assert pairs == {(x, "en") for x in (*LANGUAGES[1:], MEAN)} | {("es", "vi"), ("es", "zh"), ("vi", "zh")}
    alone = layer_figures(0, "mean", STATES, "en", WEIGHTS)
    assert [one for one in made if one.other == "en" and one.figure == "mexa"] == [
        one for one in alone if one.figure == "mexa"
    ]


def test_the_directions_are_language_to_pivot_and_back() -> None:
    # Both sentences of `es` are nearest to the first of `en`; the way back is never missed.
    states = {"en": np.array([[1.0, 0.0], [0.0, 1.0]]), "es": np.array([[1.0, 0.0], [1.0, 0.9]])}
    values = dict(zip(BY_SENTENCE, sentence_values(states["es"], states["en"]).T.tolist(), strict=True))
    assert (values["retrieval_to"], values["retrieval_from"]) == ([1, 0], [1, 1])
    assert values["retrieval"] == [1, 0.5]


def test_intervals_hold_the_value_and_widen_with_fewer_sentences() -> None:
    def width(sentences: int) -> float:
        states = {language: found[:sentences] for language, found in STATES.items()}
        made = layer_figures(0, "mean", states, "en", resamples(sentences, 500, 0))
        for one in made:
            if one.figure.startswith("cka"):
                assert np.isnan([one.low, one.high]).all()
            else:
                assert one.low - 1e-9 <= one.value <= one.high + 1e-9
        [found] = [one for one in made if (one.language, one.figure) == ("zh", "cosine_matched")]
        return found.high - found.low

    assert width(8) > 1.4 * width(40)


def test_an_interval_is_the_percentiles_of_means_of_resampled_sentences() -> None:
    values = sentence_values(STATES["zh"], STATES["en"])[:, BY_SENTENCE.index("cosine_matched")]
    generator = np.random.default_rng(1)
    means = [values[generator.integers(40, size=40)].mean() for _ in range(4000)]
    made = layer_figures(0, "mean", STATES, "en", resamples(40, 4000, 0))
    [found] = [one for one in made if (one.language, one.figure) == ("zh", "cosine_matched")]
    expected = np.quantile(means, [0.025, 0.975])
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.1 * (expected[1] - expected[0]))


def test_draws_follow_the_seed() -> None:
    assert (resamples(9, 20, 1) == resamples(9, 20, 1)).all()
    assert (resamples(9, 20, 1) != resamples(9, 20, 2)).any()
    np.testing.assert_allclose(resamples(9, 20, 1).sum(axis=1), 1)


def test_chance_is_one_place_among_all() -> None:
    assert chance(10)["retrieval"] == chance(10)["retrieval_to"] == chance(10)["retrieval_from"] == 0.1
    assert chance(10)["mexa"] == 1 / 19
