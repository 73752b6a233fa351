"""Faults planted in copies of parallel files: each plant changes some rows and returns which."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.alignment.check import Findings, check_alignment
from crossin.core.formats import FIELDS

Row = dict[str, Any]
Ints = npt.NDArray[np.int64]


@dataclass
class Pair:
    """Claimed pairs of rows, in the order of the other language's file; `third` is a third language by id."""

    language: str
    pivot: list[Row]
    other: list[Row]
    place: Ints
    third: dict[int, Row] = field(default_factory=dict)

    def check(self, seed: int) -> Findings:
        return check_alignment(
            columns(self.pivot), columns(self.other), "en", self.language, self.place, seed=seed
        )


def columns(rows: list[Row]) -> dict[str, pa.LargeStringArray]:
    return {name: pa.array([row[name] for row in rows], pa.large_string()) for name in FIELDS}


def load(folder: Path, language: str) -> Pair:
    files = {
        name: json.loads((folder / f"alpaca_{name}.json").read_text("utf-8")) for name in ("en", language)
    }
    english = {row["id"]: row for row in files["en"]}
    kept = [
        (place, row)
        for place, row in enumerate(files[language])
        if row.get("score", 5) == 5 and not row.get("merged_input")
    ]
    third = json.loads((folder / f"alpaca_{'vi' if language != 'vi' else 'de'}.json").read_text("utf-8"))
    return Pair(
        language,
        [english[row["id"]] for _, row in kept],
        [row for _, row in kept],
        np.array([place for place, _ in kept], np.int64),
        {row["id"]: row for row in third if not row.get("merged_input")},
    )


# A plant changes rows of the copied pair and returns the changed ones.
Plant = Callable[[Pair, np.random.Generator, int], Ints]


def texts(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in FIELDS)


def shifted_block(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """Blocks of 5 to 300 rows whose translations slipped by 1 to 50 rows."""
    original = list(pair.other)
    changed: list[int] = []
    taken = np.zeros(len(original), bool)
    while len(changed) < wanted:
        size, shift = int(random.integers(5, 301)), int(random.integers(1, 51))
        start = int(random.integers(0, len(original) - size - shift))
        if taken[start : start + size].any():
            continue
        taken[start : start + size] = True
        for row in range(start, start + size):
            pair.other[row] = original[row + shift]
            if texts(original[row]) != texts(original[row + shift]):
                changed.append(row)
    return np.array(changed)


def exchanged(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """Single rows exchanged with the next one, or with one anywhere in the file."""
    free = random.permutation(len(pair.other) - 1)
    used = np.zeros(len(pair.other), bool)
    changed: list[int] = []
    for number, row in enumerate(free):
        mate = row + 1 if number % 2 else int(random.integers(0, len(pair.other)))
        if len(changed) >= wanted:
            break
        if used[row] or used[mate] or texts(pair.other[row]) == texts(pair.other[mate]):
            continue
        used[[row, mate]] = True
        pair.other[row], pair.other[mate] = pair.other[mate], pair.other[row]
        changed += [row, mate]
    return np.array(changed)


def swapped(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """Pivot and translation exchanged."""
    rows = random.permutation(len(pair.other))[:wanted]
    for row in rows:
        pair.pivot[row], pair.other[row] = pair.other[row], pair.pivot[row]
    return rows


def third_language(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """The same row in a third language in place of the translation."""
    able = [row for row, text in enumerate(pair.other) if text["id"] in pair.third]
    rows = random.permutation(able)[:wanted]
    for row in rows:
        pair.other[row] = pair.third[pair.other[row]["id"]]
    return rows


def dropped_number(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """One number deleted from one field of the translation."""
    number = re.compile(r"\d+(?:[.,]\d+)*")
    changed: list[int] = []
    for row in random.permutation(len(pair.other)):
        spots = [(name, spot) for name in FIELDS for spot in number.finditer(pair.other[row][name])]
        if not spots:
            continue
        name, spot = spots[int(random.integers(len(spots)))]
        text = pair.other[row][name]
        pair.other[row] = {**pair.other[row], name: text[: spot.start()] + text[spot.end() :]}
        changed.append(int(row))
        if len(changed) >= wanted:
            break
    return np.array(changed)


def copied_row(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """The pivot's whole row in place of the translation."""
    rows = random.permutation(len(pair.other))[:wanted]
    for row in rows:
        pair.other[row] = {**pair.other[row], **{name: pair.pivot[row][name] for name in FIELDS}}
    return rows


def copied_text(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """The pivot's instruction and output; the input is translated."""
    rows = random.permutation(len(pair.other))[:wanted]
    for row in rows:
        pair.other[row] = {
            **pair.other[row],
            **{name: pair.pivot[row][name] for name in ("instruction", "output")},
        }
    return rows


def emptied(pair: Pair, random: np.random.Generator, wanted: int) -> Ints:
    """A field of the translation emptied."""
    rows = random.permutation(len(pair.other))[:wanted]
    changed = []
    for number, row in enumerate(rows):
        name = FIELDS[number % 3]
        if pair.other[row][name].strip():
            pair.other[row] = {**pair.other[row], name: ""}
            changed.append(int(row))
    return np.array(changed)


PLANTS: dict[str, Plant] = {
    "shifted block": shifted_block,
    "exchanged rows": exchanged,
    "languages swapped": swapped,
    "third language": third_language,
    "number dropped": dropped_number,
    "copy of whole row": copied_row,
    "copy of instruction and output": copied_text,
    "field emptied": emptied,
}
