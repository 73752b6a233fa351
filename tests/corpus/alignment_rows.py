"""A small parallel corpus for the tests of the alignment check: made-up sentences in two made-up languages."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

FIELDS = ("instruction", "input", "output")
Rows = list[dict[str, str]]

# Each thing has a name in three languages, and each row is about four of them.
_SYLLABLES = {
    "en": ("ran", "tol", "mer", "sin", "cab", "dow", "pen", "lif", "gar", "hus"),
    "vi": ("đượ", "ngh", "ưới", "yêu", "chị", "thế", "ộng", "ếph", "ảvâ", "ặtq"),
    "zh": ("马", "学", "北", "山", "车", "电", "花", "水", "火", "木"),
}
_FRAMES = {
    "en": ("Please write about {} and {}", "the {} of {} was given as {}"),
    "vi": ("Hãy viết về {} với {}", "cái {} của {} cho là {}"),
    "zh": ("请写关于{}和{}的文章", "{}的{}给了{}"),
}


def name(thing: int, language: str) -> str:
    """The thing's name: three syllables, one for each of its digits."""
    return "".join(_SYLLABLES[language][int(digit)] for digit in f"{thing:03d}")


def parallel_rows(count: int, languages: tuple[str, str], seed: int = 0) -> tuple[Rows, Rows]:
    """Rows of both languages that say the same."""
    random = np.random.default_rng(seed)
    things = random.integers(0, 300, (count, 6))
    numbers = random.integers(10, 1000, count)
    sides: tuple[Rows, Rows] = ([], [])
    for row, number in zip(things.tolist(), numbers.tolist(), strict=True):
        for side, language in zip(sides, languages, strict=True):
            asked, told = _FRAMES[language]
            named = [name(thing, language) for thing in row]
            side.append(
                {
                    "instruction": asked.format(*named[:2]),
                    "input": "",
                    "output": told.format(*named[2:5]) + f", {number}; " + told.format(*named[3:6]),
                }
            )
    return sides


def columns(rows: Rows) -> dict[str, pa.LargeStringArray]:
    return {field: pa.array([row[field] for row in rows], pa.large_string()) for field in FIELDS}
