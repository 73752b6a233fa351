"""A small parallel corpus for the tests of the alignment check: made-up sentences in made-up languages."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from crossin.core.formats import FIELDS

Rows = list[dict[str, str]]

# Each of a hundred things has a name in three languages, and each row is about six of them.
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
    """The thing's name: two syllables, one for each of its digits."""
    return "".join(_SYLLABLES[language][int(digit)] for digit in f"{thing:02d}")


def parallel_rows(count: int, languages: tuple[str, str], seed: int = 0) -> tuple[Rows, Rows]:
    """Rows of both languages that say the same; one in four has a number."""
    random = np.random.default_rng(seed)
    things = random.integers(0, 100, (count, 6))
    numbers = np.where(random.random(count) < 0.25, random.integers(10, 1000, count), 0)
    sides: tuple[Rows, Rows] = ([], [])
    for row, number in zip(things.tolist(), numbers.tolist(), strict=True):
        for side, language in zip(sides, languages, strict=True):
            question, answer = _FRAMES[language]
            named = [name(thing, language) for thing in row]
            side.append(
                {
                    "instruction": question.format(*named[:2]),
                    "input": "",
                    "output": answer.format(*named[2:5])
                    + (f", {number}; " if number else "; ")
                    + answer.format(*named[3:6]),
                }
            )
    return sides


def columns(rows: Rows) -> dict[str, pa.LargeStringArray]:
    return {field: pa.array([row[field] for row in rows], pa.large_string()) for field in FIELDS}
