"""Digits that a translation lost or gained.

A number keeps its digits in any language, whatever its grouping marks. Where a pair of files spells numbers
out (`3` and `three`, `10000` and `1万`), the words that do so are learned from the pair itself, and
a row that holds one is excused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossin.corpus.characters import Flags, Ints, mix
from crossin.corpus.content import BUCKETS, Bag

# A word excuses a missing number where it stands in so many of the rows that miss just this number, in
# at least so many of them, and so many times as often as in rows that miss nothing.
_SHARE, _COUNT, _LIFT = 0.1, 4, 16.0
# A numeral such as 万 may stand for so many zeros.
_ZEROS = 4


@dataclass(frozen=True)
class SpelledOut:
    """The words of one side that stand for digits of the other, as sorted keys of (digits, word)."""

    keys: npt.NDArray[np.uint64]

    @classmethod
    def learn(cls, missing: Ints, present: Ints, words: Bag) -> SpelledOut:
        """From rows with what each misses of the other side's digits, the other side's digits, and words."""
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

    def excuses(self, missing: Ints, numerals: Ints, words: Bag) -> Flags:
        """Rows whose missing digits are spelled out: all together, or each by itself."""
        rows = words.rows()
        hit = np.isin(_signature(missing)[rows] | words.buckets.astype(np.uint64), self.keys)
        excused = np.bincount(rows[hit], minlength=len(missing)) > 0
        each = np.ones(len(missing), bool)
        tens = numerals[:, 0]
        for digit in range(10):
            one = np.zeros((1, 10), np.int64)
            one[0, digit] = 1
            hit = np.isin(_signature(one) | words.buckets.astype(np.uint64), self.keys)
            spelled = np.bincount(rows[hit], minlength=len(missing))
            spelled += tens * _ZEROS if digit == 0 else tens if digit == 1 else numerals[:, digit]
            each &= missing[:, digit] <= spelled
        return np.asarray(excused | each)


def _signature(digits: Ints) -> npt.NDArray[np.uint64]:
    """A number for each row's digits, its last 16 bits free for a word."""
    places = np.uint64(1) << (np.arange(10, dtype=np.uint64) * np.uint64(6))
    packed = (np.minimum(digits, 63).astype(np.uint64) * places).sum(1, dtype=np.uint64)
    return mix(packed) & ~np.uint64(0xFFFF)


@dataclass(frozen=True)
class DigitRule:
    """Which rows lost digits in the translation (`other`), and which gained some."""

    in_other: SpelledOut
    in_pivot: SpelledOut

    @classmethod
    def learn(cls, pivot: Ints, other: Ints, pivot_words: Bag, other_words: Bag) -> DigitRule:
        """From claimed pairs of digit counts and words."""
        lost, gained = np.maximum(pivot - other, 0), np.maximum(other - pivot, 0)
        return cls(SpelledOut.learn(lost, pivot, other_words), SpelledOut.learn(gained, other, pivot_words))

    @classmethod
    def strict(cls) -> DigitRule:
        """The rule that knows no number words."""
        none = SpelledOut(np.zeros(0, np.uint64))
        return cls(none, none)

    def differ(
        self, pivot: Ints, other: Ints, pivot_numerals: Ints, other_numerals: Ints, pivot_words: Bag, other_words: Bag
    ) -> tuple[Flags, Flags]:
        """Rows with digits lost, and rows with digits gained, that no word excuses."""
        found = []
        for gap, numerals, words, spelled in (
            (pivot - other, other_numerals, other_words, self.in_other),
            (other - pivot, pivot_numerals, pivot_words, self.in_pivot),
        ):
            gap = np.maximum(gap, 0)
            rows = np.flatnonzero(gap.any(1))
            flags = np.zeros(len(gap), bool)
            flags[rows] = ~spelled.excuses(gap[rows], numerals[rows], words.take(rows))
            found.append(flags)
        return found[0], found[1]
