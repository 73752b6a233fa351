"""Digits that a translation lost or gained.

A number keeps its digits in any language, whatever its grouping marks. Where a pair of files spells numbers
out (`3` and `three`, `10000` and `1万`), the words that do so are found in the pair itself, and a row with
such a word passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossin.alignment.characters import Flags, Ints, among
from crossin.alignment.content import BUCKETS, Bag
from crossin.alignment.measures import Measures
from crossin.core.hashing import mix

# A word spells out a number where it occurs in this share of the rows that lack just this number, in at least
# so many of them, and so many times as often as in rows that lack nothing.
_SHARE, _COUNT, _LIFT = 0.5, 5, 16.0
# The zeros that a numeral such as 万 may stand for.
_ZEROS = 4
# A word is translated by a numeral that occurs in this share of the rows opposite.
_TRANSLATED = 0.3
# So many gained digits cannot come from words.
_MANY = 5


@dataclass(frozen=True)
class SpelledOut:
    """The words of one side that spell out digits of the other, as sorted keys of (digits, word)."""

    keys: npt.NDArray[np.uint64]

    @classmethod
    def fit(cls, missing: Ints, present: Ints, words: Bag) -> SpelledOut:
        """Fit to the digits of the other side that each row lacks (n, 10), all its digits, and words."""
        rows = np.flatnonzero(missing.any(1))
        whole = np.flatnonzero(~missing.any(1) & present.any(1))
        names = _signature(missing[rows])
        base = np.bincount(words.take(whole).buckets, minlength=BUCKETS) / max(len(whole), 1)
        found = [np.zeros(0, np.uint64)]
        for name in np.unique(names):
            alike = rows[names == name]
            if len(alike) < _COUNT:
                continue
            held = np.bincount(words.take(alike).buckets, minlength=BUCKETS)
            least = np.maximum(_COUNT, _SHARE * len(alike))
            strong = np.flatnonzero((held >= least) & (held / len(alike) >= _LIFT * base))
            found.append(name | strong.astype(np.uint64))
        return cls(np.sort(np.concatenate(found)))

    def spelled(self, words: Bag) -> Ints:
        """How many words of each row spell out each single digit: (n, 10)."""
        rows, found = words.rows(), []
        for one in np.eye(10, dtype=np.int64):
            hit = among(_signature(one[None]) | words.buckets.astype(np.uint64), self.keys)
            found.append(np.bincount(rows[hit], minlength=words.count))
        return np.stack(found, 1)

    def excuses(self, missing: Ints, words: Bag, numerals: Ints) -> Flags:
        """Rows whose missing digits are spelled out: all together, or each by itself."""
        rows = words.rows()
        hit = among(_signature(missing)[rows] | words.buckets.astype(np.uint64), self.keys)
        together = np.bincount(rows[hit], minlength=len(missing)) > 0
        return np.asarray(together | (missing <= self.spelled(words) + numerals).all(1))


def _signature(digits: Ints) -> npt.NDArray[np.uint64]:
    """A number for each row's digits, its last 16 bits free for a word."""
    places = np.uint64(1) << (np.arange(10, dtype=np.uint64) * np.uint64(6))
    packed = (np.minimum(digits, 63).astype(np.uint64) * places).sum(1, dtype=np.uint64)
    return mix(packed) & ~np.uint64(0xFFFF)


def _translated(numerals: Ints, words: Bag) -> npt.NDArray[np.bool_]:
    """(10, words): the words that numerals of the other side translate (三 for `third`, `triangle`)."""
    held = np.bincount(words.buckets, minlength=BUCKETS)
    translated = np.zeros((10, BUCKETS), bool)
    for digit in range(10):
        having = np.flatnonzero(numerals[:, digit])
        together = np.bincount(words.take(having).buckets, minlength=BUCKETS)
        translated[digit] = (together >= _COUNT) & (together >= _TRANSLATED * held)
    return translated


@dataclass(frozen=True)
class DigitRule:
    """Which rows lost digits in the translation (`other`), and which gained some.

    `in_other` are the other side's words for the pivot's digits, `by_other` the pivot's words that numerals
    of the other side translate; `in_pivot` and `by_pivot` the reverse.
    """

    in_other: SpelledOut
    in_pivot: SpelledOut
    by_other: npt.NDArray[np.bool_]
    by_pivot: npt.NDArray[np.bool_]

    @classmethod
    def fit(cls, pivot: Measures, other: Measures) -> DigitRule:
        """Fit to claimed pairs."""
        return cls(
            SpelledOut.fit(np.maximum(pivot.digits - other.digits, 0), pivot.digits, other.words),
            SpelledOut.fit(np.maximum(other.digits - pivot.digits, 0), other.digits, pivot.words),
            _translated(other.numerals, pivot.words),
            _translated(pivot.numerals, other.words),
        )

    @classmethod
    def strict(cls) -> DigitRule:
        """The rule that knows no number words."""
        none, nothing = SpelledOut(np.zeros(0, np.uint64)), np.zeros((10, BUCKETS), bool)
        return cls(none, none, nothing, nothing)

    def lost(self, pivot: Measures, other: Measures) -> Flags:
        """Rows whose translation lacks digits of the pivot that no word spells out."""
        return self._differ(pivot, other, self.in_other, self.by_other, 1)

    def gained(self, pivot: Measures, other: Measures) -> Flags:
        """Rows whose translation has many digits that the pivot does not have in any form.

        A few are no sign: `three` becomes 3 and `March` becomes 3月 more often than a number is invented.
        """
        return self._differ(other, pivot, self.in_pivot, self.by_pivot, _MANY)

    @staticmethod
    def _differ(
        full: Measures, short: Measures, spelled: SpelledOut, translated: npt.NDArray[np.bool_], least: int
    ) -> Flags:
        """Rows of `short` that lack at least so many digits of `full`, and do not spell them out."""
        gap = np.maximum(full.digits - short.digits, 0)
        rows = np.flatnonzero(gap.sum(1) >= least)
        words = full.words.take(rows)
        free = short.numerals[rows]
        for digit in range(2, 10):
            # A numeral that translates a word of the other side does not stand for a digit.
            taken = np.bincount(words.rows()[translated[digit][words.buckets]], minlength=len(rows)) > 0
            free[taken, digit] = 0
        free[:, 0] *= _ZEROS
        flags = np.zeros(len(gap), bool)
        flags[rows] = ~spelled.excuses(gap[rows], short.words.take(rows), free)
        return flags
