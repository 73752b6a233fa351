"""Texts as arrays of characters, so that a rule over a million rows is a few operations of numpy."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.core.errors import CrossinError
from crossin.core.hashing import mix
from crossin.languages.scripts import SCRIPT_NAMES, TABLE_SIZE, letter_scripts

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

# The most rows and bytes in a piece of a column, so that memory is bounded.
PIECE_ROWS, _PIECE_BYTES = 16_384, 16_000_000

# Scripts without spaces between words (and Hangul, whose words are long): read by single characters.
_DENSE = {"Han", "Kana", "Thai", "Lao", "Tibetan", "Myanmar", "Khmer", "Hangul"}


@dataclass(frozen=True)
class Tables:
    """What each character is, by its number (the last place: all characters from TABLE_SIZE on)."""

    fold: npt.NDArray[np.int32]  # the lower-case character
    digit: npt.NDArray[np.int8]  # 0 to 9, or -1
    numeral: npt.NDArray[np.int8]  # letters that are numbers, as in Han: 2 to 9, 10 for tens and above, or -1
    script: npt.NDArray[np.int8]  # index into SCRIPT_NAMES, or -1 for what is not a letter
    dense: Flags  # a letter of a script without spaces


@cache
def tables() -> Tables:
    """The tables, from the interpreter's Unicode data."""
    script = letter_scripts()
    fold = np.arange(TABLE_SIZE + 1, dtype=np.int32)
    digit = np.full(TABLE_SIZE + 1, -1, dtype=np.int8)
    numeral = digit.copy()
    for code in range(TABLE_SIZE):
        character = chr(code)
        if script[code] >= 0:
            value = unicodedata.numeric(character, -1)
            if value >= 2 and value == int(value):
                numeral[code] = min(int(value), 10)
            lower = character.lower()
            if len(lower) == 1 and ord(lower) < TABLE_SIZE:
                fold[code] = ord(lower)
        else:
            digit[code] = unicodedata.decimal(character, -1)
    dense = np.isin(script, [SCRIPT_NAMES.index(name) for name in _DENSE])
    return Tables(fold, digit, numeral, script, dense)


@dataclass(frozen=True)
class Ragged:
    """n concatenated rows of characters, or of words as buckets of their hashes: row i is
    `values[starts[i]:starts[i + 1]]`.
    """

    values: npt.NDArray[np.integer]
    starts: Ints

    @property
    def count(self) -> int:
        """The number of rows."""
        return len(self.starts) - 1

    @property
    def lengths(self) -> Ints:
        """Each row's number of values."""
        return np.diff(self.starts)

    def rows(self) -> Ints:
        """The row of each value."""
        return np.repeat(np.arange(self.count), self.lengths)

    def sums(self, numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The sum of each row's numbers, one a value; of flags, how many are set."""
        total = np.concatenate(([0], np.cumsum(numbers)))
        return np.asarray(total[self.starts[1:]] - total[self.starts[:-1]])

    def take(self, order: Ints) -> Ragged:
        """The rows in another order."""
        return self._cut(self.starts[:-1][order], self.lengths[order])

    def head(self, limit: int) -> Ragged:
        """The first `limit` values of each row."""
        return self._cut(self.starts[:-1], np.minimum(self.lengths, limit))

    def _cut(self, begins: Ints, lengths: Ints) -> Ragged:
        starts = np.concatenate(([0], np.cumsum(lengths)))
        index = np.repeat(begins - starts[:-1], lengths) + np.arange(starts[-1])
        return Ragged(self.values[index], starts)


def read_text(column: pa.LargeStringArray) -> Ragged:
    """The characters of a column; null reads as empty."""
    if column.null_count:
        column = column.fill_null("")
    count = len(column)
    if not count:
        return Ragged(np.zeros(0, np.int32), np.zeros(1, np.int64))
    _, places, data = column.buffers()
    offsets = np.frombuffer(places, np.int64)[column.offset : column.offset + count + 1]
    raw = bytes(memoryview(data)[offsets[0] : offsets[-1]]) if data is not None else b""
    try:
        codes = np.frombuffer(raw.decode("utf-8").encode("utf-32-le"), np.int32)
    except UnicodeDecodeError as error:
        row = int(np.searchsorted(offsets - offsets[0], error.start, side="right"))
        raise CrossinError("is not UTF-8 text", row=row, hint="save the file as UTF-8") from error
    octets = np.frombuffer(raw, np.uint8)
    begins = np.concatenate(([0], np.cumsum((octets & 0xC0) != 0x80, dtype=np.int64)))
    return Ragged(np.minimum(codes, TABLE_SIZE), begins[offsets - offsets[0]])


def pieces(columns: list[pa.LargeStringArray], count: int) -> Iterator[slice]:
    """Slices that cover the `count` rows in order, each small enough to work on at once."""
    sizes = np.zeros(count, np.int64)
    for column in columns:
        offsets = np.frombuffer(column.buffers()[1], np.int64) if count else np.zeros(1, np.int64)
        sizes += np.diff(offsets[column.offset : column.offset + count + 1])
    ends = np.cumsum(sizes)
    start = 0
    while start < count:
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + _PIECE_BYTES, side="right"))
        stop = min(max(stop, start + 1), start + PIECE_ROWS, count)
        yield slice(start, stop)
        start = stop


_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))


def among(values: npt.NDArray[np.generic], known: npt.NDArray[np.generic]) -> Flags:
    """Which values are among `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(values), bool)
    place = np.minimum(np.searchsorted(known, values), len(known) - 1)
    return np.asarray(known[place] == values)


def hash_spans(codes: npt.NDArray[np.int32], starts: Ints, ends: Ints) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each span `codes[start:end]`; equal spans have equal hashes."""
    size = len(codes)
    powers = np.full(size + 1, _MULTIPLIER, np.uint64)
    powers[0] = 1
    np.cumprod(powers, out=powers)
    total = np.zeros(size + 1, np.uint64)
    np.cumsum(mix(codes.astype(np.uint64) + np.uint64(1)) * powers[:-1], out=total[1:])
    undo = np.full(size + 1, _INVERSE, np.uint64)
    undo[0] = 1
    np.cumprod(undo, out=undo)
    return mix((total[ends] - total[starts]) * undo[starts])


def words(text: Ragged, stem: int = 6) -> tuple[Ints, npt.NDArray[np.uint64]]:
    """The row and the hash of every word.

    A word is a run of letters, cut to its first `stem`; in a script without spaces, every character and every
    two neighbours are words.
    """
    table = tables()
    codes = table.fold[text.values]
    dense = table.dense[text.values]
    spaced = (table.script[text.values] >= 0) & ~dense
    rows = text.rows()
    same = np.zeros(len(codes), bool)  # this character and the one before are of one text
    same[1:] = rows[1:] == rows[:-1]
    joined = same.copy()
    joined[1:] &= spaced[:-1]
    first = np.flatnonzero(spaced & ~joined)
    after = np.zeros(len(codes), bool)
    after[:-1] = joined[1:] & spaced[1:]
    last = np.flatnonzero(spaced & ~after) + 1
    single = np.flatnonzero(dense)
    paired = same.copy()
    paired[1:] &= dense[:-1]
    double = np.flatnonzero(dense & paired)
    starts = np.concatenate((first, single, double - 1))
    ends = np.concatenate((np.minimum(last, first + stem), single + 1, double + 1))
    return rows[starts], hash_spans(codes, starts, ends)
