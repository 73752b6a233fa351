"""Digits that a translation lost or gained.

A number keeps its digits in any language, whatever its grouping marks. Where a pair of files spells numbers
out (`3` and `three`, `10000` and `1万`), the words that do so are found in the pair itself, and a row with
such a word passes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from crossin.alignment.characters import Flags, Ints, Ragged, among
from crossin.alignment.content import BUCKETS
from crossin.alignment.measures import Measures
from crossin.core.hashing import mix

# A word spells out a number where it occurs in this share of the rows that lack just this number, in at least
# so many of them, and so many times as often as in rows that lack nothing.
_SHARE, _COUNT, _LIFT = 0.5, 5, 16.0
# The zeros that a numeral such as 万 may stand for.
_ZEROS = 4
# A word is translated by a numeral that occurs in this share of the rows opposite.
_TRANSLATED = 0.3
# The digits that a translation has lost, or gained, to be flagged. A few gained ones are no sign: `three`
# becomes 3 and `March` becomes 3月 more often than a number is invented.
LOST, GAINED = 1, 5

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class DigitRule:
    """Which rows of one side (`short`) lack at least `least` digits of the other (`full`), in any form.

    `spelled` are the words of `short` that spell out digits of `full`, as sorted keys of (digits, word);
    `translated` (10, words) the words of `full` that numerals of `short` translate (三 for `third`,
    `triangle`). Without them, the rule knows no number words.
    """

    least: int
    spelled: Keys = field(default_factory=lambda: np.zeros(0, np.uint64))
    translated: Flags = field(default_factory=lambda: np.zeros((10, BUCKETS), bool))

    @classmethod
    def fit(cls, full: Measures, short: Measures, least: int) -> DigitRule:
        """Fit to claimed pairs."""
        missing = np.maximum(full.digits - short.digits, 0)
        return cls(
            least, _spelled_out(missing, full.digits, short.words), _translated(short.numerals, full.words)
        )

    def lacking(self, full: Measures, short: Measures) -> Flags:
        """Rows of `short` that lack digits of `full`, and do not spell them out: all together, or each by
        itself.
        """
        gap = np.maximum(full.digits - short.digits, 0)
        rows = np.flatnonzero(gap.sum(1) >= self.least)
        gap, free = gap[rows], short.numerals[rows]
        opposite, words = full.words.take(rows), short.words.take(rows)
        for digit in range(2, 10):
            # A numeral that translates a word of the other side does not stand for a digit.
            taken = opposite.sums(self.translated[digit][opposite.values]) > 0
            free[taken, digit] = 0
        free[:, 0] *= _ZEROS
        together = words.sums(self._spells(words, _signature(gap)[words.rows()])) > 0
        singly = [words.sums(self._spells(words, _signature(one[None]))) for one in np.eye(10, dtype=int)]
        flags = np.zeros(len(full.digits), bool)
        flags[rows] = ~(together | (gap <= np.stack(singly, 1) + free).all(1))
        return flags

    def _spells(self, words: Ragged, digits: Keys) -> Flags:
        """Whether each word spells out the digits of this signature."""
        return among(digits | words.values.astype(np.uint64), self.spelled)


def _spelled_out(missing: Ints, present: Ints, words: Ragged) -> Keys:
    """The words that spell out digits, from the digits of the other side that each row lacks (n, 10), all its
    digits, and its words.
    """
    rows = np.flatnonzero(missing.any(1))
    whole = np.flatnonzero(~missing.any(1) & present.any(1))
    names = _signature(missing[rows])
    base = np.bincount(words.take(whole).values, minlength=BUCKETS) / max(len(whole), 1)
    found = [np.zeros(0, np.uint64)]
    for name in np.unique(names):
        alike = rows[names == name]
        if len(alike) < _COUNT:
            continue
        held = np.bincount(words.take(alike).values, minlength=BUCKETS)
        least = np.maximum(_COUNT, _SHARE * len(alike))
        strong = np.flatnonzero((held >= least) & (held / len(alike) >= _LIFT * base))
        found.append(name | strong.astype(np.uint64))
    return np.sort(np.concatenate(found))


def _signature(digits: Ints) -> Keys:
    """A number for each row's digits, its last 16 bits free for a word."""
    places = np.uint64(1) << (np.arange(10, dtype=np.uint64) * np.uint64(6))
    packed = (np.minimum(digits, 63).astype(np.uint64) * places).sum(1, dtype=np.uint64)
    return mix(packed) & ~np.uint64(0xFFFF)


def _translated(numerals: Ints, words: Ragged) -> Flags:
    """(10, words): the words that numerals of the other side translate."""
    held = np.bincount(words.values, minlength=BUCKETS)
    translated = np.zeros((10, BUCKETS), bool)
    for digit in range(10):
        having = np.flatnonzero(numerals[:, digit])
        together = np.bincount(words.take(having).values, minlength=BUCKETS)
        translated[digit] = (together >= _COUNT) & (together >= _TRANSLATED * held)
    return translated
