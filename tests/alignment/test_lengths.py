from __future__ import annotations

import numpy as np

from crossin.alignment.lengths import LengthBands


def lengths(count: int, ratio: float, noise: float) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    pivot = random.integers(30, 600, count)
    return pivot, (pivot * ratio * np.exp(random.normal(0, noise, count))).astype(np.int64)


def out(bands: LengthBands, pivot: int, other: int) -> bool:
    return bool(bands.out(np.array([pivot]), np.array([other]))[0])


def test_the_band_is_that_of_the_pair() -> None:
    short, long = LengthBands.fit(*lengths(5000, 0.3, 0.15)), LengthBands.fit(*lengths(5000, 3, 0.15))
    assert not out(short, 300, 90)
    assert out(short, 300, 6)
    assert out(short, 300, 1500)
    assert not out(long, 300, 900)
    assert out(long, 300, 50)


def test_a_fifth_of_faulty_rows_does_not_widen_the_band_much() -> None:
    pivot, other = lengths(5000, 0.3, 0.15)
    other[::5] = 2000
    assert out(LengthBands.fit(pivot, other), 300, 2000)


def test_a_text_that_stays_as_it_is_has_a_length_that_is_right() -> None:
    for ratio in (0.2, 5):
        assert not out(LengthBands.fit(*lengths(5000, ratio, 0.08)), 300, 300)


def test_short_and_empty_texts_are_not_judged() -> None:
    bands = LengthBands.fit(*lengths(5000, 0.3, 0.15))
    assert not out(bands, 1, 12)
    assert not out(bands, 0, 500)
    assert not out(bands, 500, 0)


def test_few_rows_get_a_wide_band_around_equal_lengths() -> None:
    bands = LengthBands.fit(*lengths(5, 0.3, 0.15))
    assert not out(bands, 300, 60)
    assert out(bands, 300, 6000)
