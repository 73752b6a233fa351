"""The features of rows that the alignment check compares, computed for a piece of one file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.alignment.characters import Flags, Ints, Text, hash_spans, read_text, tables, words
from crossin.alignment.content import Bag, join_bags, make_bag
from crossin.core.formats import FIELDS
from crossin.languages.scripts import SCRIPT_NAMES

Columns = Mapping[str, pa.LargeStringArray]

# Only the beginning of a long text is read for its words and its language.
_HEADS = (200, 200, 400)
_GRAM_HEAD = 200


@dataclass(frozen=True)
class Measures:
    """Features of n rows of one file."""

    sizes: Ints  # (n, 3): characters without spaces, by field
    letters: Ints  # (n, 3): letters, by field
    lines: Ints  # (n,): line ends in all fields
    digits: Ints  # (n, 10): occurrences of each digit
    numerals: Ints  # (n, 10): letters that are the numbers 2 to 9, and in place 0 those from 10 on
    scripts: Ints  # (n, scripts): letters of the instruction by script
    words: Bag  # the words of all fields
    grams: Bag  # trigrams of letters of the instruction, with repetitions

    def take(self, order: Ints) -> Measures:
        """The rows in another order."""
        values: list[Any] = [x.take(order) if isinstance(x, Bag) else x[order] for x in vars(self).values()]
        return Measures(*values)


def measure(columns: Columns) -> Measures:
    """The features of rows, at most a piece."""
    table = tables()
    texts = [read_text(columns[field]) for field in FIELDS]
    count = len(texts[0].starts) - 1
    sizes, letters = np.zeros((2, count, len(FIELDS)), np.int64)
    lines = np.zeros(count, np.int64)
    digits, numerals = np.zeros((2, count, 10), np.int64)
    owners: list[Ints] = []
    hashes: list[npt.NDArray[np.uint64]] = []
    for number, text in enumerate(texts):
        sizes[:, number] = text.count(~_is_space(text))
        letters[:, number] = text.count(table.script[text.codes] >= 0)
        lines += text.count(text.codes == 10)
        digits += _tally(text, table.digit)
        numerals += _tally(text, table.numeral)
        owner, found = words(text.head(_HEADS[number]))
        owners.append(owner)
        hashes.append(found)
    return Measures(
        sizes,
        letters,
        lines,
        digits,
        numerals,
        _scripts(texts[0], count),
        make_bag(np.concatenate(owners), np.concatenate(hashes), count),
        _grams(texts[0].head(_GRAM_HEAD)),
    )


def join_measures(parts: list[Measures]) -> Measures:
    """The concatenation of measures."""
    features: list[tuple[Any, ...]] = list(zip(*(vars(part).values() for part in parts), strict=True))
    joined: list[Any] = [
        join_bags(values) if isinstance(values[0], Bag) else np.concatenate(values) for values in features
    ]
    return Measures(*joined)


def _is_space(text: Text) -> Flags:
    codes = text.codes
    wide = (codes >= 0x2000) & (codes <= 0x200F)
    return np.asarray((codes <= 32) | (codes == 0xA0) | (codes == 0x3000) | wide)


def _tally(text: Text, table: npt.NDArray[np.int8]) -> Ints:
    """The number of characters of each value modulo 10: (n, 10)."""
    value = table[text.codes]
    place = np.flatnonzero(value >= 0)
    row = np.searchsorted(text.starts, place, side="right") - 1
    size = len(text.starts) - 1
    return np.bincount(row * 10 + value[place] % 10, minlength=size * 10).reshape(size, 10)


def _scripts(text: Text, count: int) -> Ints:
    script = tables().script[text.codes].astype(np.int64)
    kept = script >= 0
    cells = text.rows()[kept] * len(SCRIPT_NAMES) + script[kept]
    return np.bincount(cells, minlength=count * len(SCRIPT_NAMES)).reshape(count, len(SCRIPT_NAMES))


def _grams(text: Text) -> Bag:
    """Trigrams of characters; everything but a letter counts as a space."""
    table = tables()
    codes = np.where(table.script[text.codes] >= 0, table.fold[text.codes], 32).astype(np.int32)
    rows = text.rows()
    begins = np.flatnonzero(rows[2:] == rows[:-2]) if len(codes) > 2 else np.zeros(0, np.int64)
    gap = (codes[begins + 1] == 32) & ((codes[begins] == 32) | (codes[begins + 2] == 32))
    begins = begins[~gap]
    hashes = hash_spans(codes, begins, begins + 3)
    starts = np.searchsorted(rows[begins], np.arange(len(text.starts)))
    return Bag((hashes >> np.uint64(48)).astype(np.uint16), starts)
