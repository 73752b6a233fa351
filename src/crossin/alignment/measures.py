"""The features of rows that the alignment check compares, computed for a piece of one file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.alignment.characters import Flags, Ints, Ragged, hash_spans, read_text, tables, words
from crossin.alignment.content import join_bags, make_bag
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
    words: Ragged  # the words of all fields
    grams: Ragged  # trigrams of letters of the instruction, with repetitions

    def take(self, order: Ints) -> Measures:
        """The rows in another order."""
        features: Iterable[Any] = vars(self).values()
        taken: list[Any] = [x.take(order) if isinstance(x, Ragged) else x[order] for x in features]
        return Measures(*taken)


def measure(columns: Columns) -> Measures:
    """The features of rows, at most a piece."""
    table = tables()
    texts = [read_text(columns[field]) for field in FIELDS]
    instruction = texts[0]
    found = [words(text.head(limit)) for text, limit in zip(texts, _HEADS, strict=True)]
    owners, hashes = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Measures(
        sizes=np.stack([text.sums(~_is_space(text)) for text in texts], 1),
        letters=np.stack([text.sums(table.script[text.values] >= 0) for text in texts], 1),
        lines=np.sum([text.sums(text.values == 10) for text in texts], 0),
        digits=np.sum([_tally(text, table.digit) for text in texts], 0),
        numerals=np.sum([_tally(text, table.numeral) for text in texts], 0),
        scripts=_scripts(instruction),
        words=make_bag(owners, hashes, instruction.count),
        grams=_grams(instruction.head(_GRAM_HEAD)),
    )


def join_measures(parts: list[Measures]) -> Measures:
    """The concatenation of measures."""
    features: Iterable[Any] = zip(*(vars(part).values() for part in parts), strict=True)
    joined: list[Any] = [join_bags(x) if isinstance(x[0], Ragged) else np.concatenate(x) for x in features]
    return Measures(*joined)


def _is_space(text: Ragged) -> Flags:
    codes = text.values
    wide = (codes >= 0x2000) & (codes <= 0x200F)
    return np.asarray((codes <= 32) | (codes == 0xA0) | (codes == 0x3000) | wide)


def _tally(text: Ragged, table: npt.NDArray[np.int8]) -> Ints:
    """The number of characters of each value modulo 10: (n, 10)."""
    value = table[text.values]
    place = np.flatnonzero(value >= 0)
    row = np.searchsorted(text.starts, place, side="right") - 1
    return np.bincount(row * 10 + value[place] % 10, minlength=text.count * 10).reshape(text.count, 10)


def _scripts(text: Ragged) -> Ints:
    script = tables().script[text.values].astype(np.int64)
    kept = script >= 0
    cells = text.rows()[kept] * len(SCRIPT_NAMES) + script[kept]
    return np.bincount(cells, minlength=text.count * len(SCRIPT_NAMES)).reshape(text.count, len(SCRIPT_NAMES))


def _grams(text: Ragged) -> Ragged:
    """Trigrams of characters; everything but a letter counts as a space."""
    table = tables()
    codes = np.where(table.script[text.values] >= 0, table.fold[text.values], 32).astype(np.int32)
    rows = text.rows()
    begins = np.flatnonzero(rows[2:] == rows[:-2]) if len(codes) > 2 else np.zeros(0, np.int64)
    gap = (codes[begins + 1] == 32) & ((codes[begins] == 32) | (codes[begins + 2] == 32))
    begins = begins[~gap]
    hashes = hash_spans(codes, begins, begins + 3)
    starts = np.searchsorted(rows[begins], np.arange(len(text.starts)))
    return Ragged((hashes >> np.uint64(48)).astype(np.uint16), starts)
