"""How well two texts in two languages correspond, by the words that go together in the claimed pairs.

Words that occur in the same pairs more often than by chance go together (Dice's coefficient of their counts),
and so do a number or a name and itself. For a claimed pair, its own claim is not counted: a wrong pair would
support itself.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from crossin.alignment.characters import Ragged
from crossin.languages.scripts import SPACELESS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# The rarest words of a text that are compared: the others say little.
_RAREST = 48
# A word is known by its beginning, since endings inflect.
_STEM = 6
# A word in more texts than this share goes together with everything.
_COMMON = 0.5
# How well a number or a name of so many letters goes together with itself.
_SAME, _NAME = 0.9, 4
# Words that go together less are not counted.
_WEAK = 0.05
# What is taken off a count: words occur together by chance.
_CHANCE = 0.5
# Tibetan and Korean too: what stands between spaces there is more than a word.
_UNSPACED = rf"{SPACELESS}\u0f00-\u0fff\uac00-\ud7a3"
_WITHOUT_SPACES = re.compile(f"[{_UNSPACED}]")
_NUMBER = re.compile(r"\d+(?:[.,\u066b\u066c' ]?\d+)*")


@cache
def _words() -> re.Pattern[str]:
    """Runs of letters with their marks: vowel signs are part of a word."""
    marks = "".join(chr(code) for code in range(0x300, 0x20000) if unicodedata.category(chr(code))[0] == "M")
    return re.compile(rf"[{_UNSPACED}]+|(?:(?![{_UNSPACED}\d_])[\w{re.escape(marks)}])+")


# A benchmark's texts in two languages, which are compared several times.
@lru_cache(maxsize=2**12)
def words_of(text: str) -> frozenset[str]:
    """What a text is compared by: its numbers as digits, its words by their beginnings, and in scripts that
    put no spaces between words every two neighbours.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    found = {
        "".join(str(unicodedata.decimal(one)) for one in number if one.isdecimal())
        for number in _NUMBER.findall(text)
    }
    for word in _words().findall(text):
        if _WITHOUT_SPACES.match(word):
            found |= {word[place : place + 2] for place in range(max(1, len(word) - 1))}
        else:
            found.add(word[:_STEM])
    return frozenset(found)


@dataclass(frozen=True)
class _Side:
    """The texts of one language: each one's words as numbers, and of each word the number of texts and its
    weight.
    """

    bags: Ragged
    counts: Ints
    weights: Floats

    @classmethod
    def of(cls, texts: list[list[str]], number: dict[str, int]) -> _Side:
        values = np.array([number[word] for words in texts for word in words], np.int64)
        starts = np.concatenate([[0], np.cumsum([len(words) for words in texts])]).astype(np.int64)
        counts = np.bincount(values, minlength=len(number))
        return cls(Ragged(values, starts), counts, np.log((len(texts) + 1) / (counts + 0.5)))

    def flags(self, rows: Ints) -> npt.NDArray[np.float32]:
        """Which words each row holds, times the word's weight: [rows, words]."""
        bags = self.bags.take(rows)
        held = np.zeros((len(rows), len(self.counts)), np.float32)
        held[bags.rows(), bags.values] = self.weights[bags.values]
        return held


@dataclass(frozen=True)
class Lexicon:
    """The words of two languages that go together, fitted to n claimed pairs of texts.

    `pairs` (k, 2) are words of both sides, and `strength` (k,) how well they go together, from 0 to 1; `own`
    (n,) is how well each claimed pair corresponds. `words` are those that the numbers stand for.
    """

    sides: tuple[_Side, _Side]
    pairs: Ints
    strength: Floats
    own: Floats
    words: tuple[list[str], list[str]]

    @classmethod
    def fit(cls, one: Sequence[str], two: Sequence[str]) -> Lexicon:
        """Fit to the claimed pairs of `one` and `two`, n texts each."""
        texts = _compared_words(one, two)
        numbers = [
            {word: place for place, word in enumerate(sorted({word for words in side for word in words}))}
            for side in texts
        ]
        sides = _Side.of(texts[0], numbers[0]), _Side.of(texts[1], numbers[1])
        # A pair of words as one number.
        width = max(1, len(numbers[1]))
        keys, entries = _together(sides, width)
        pairs, where, number = np.unique(keys, return_inverse=True, return_counts=True)
        counts = sides[0].counts[pairs // width], sides[1].counts[pairs % width]
        chance = counts[0] * counts[1] / max(1, len(one)) + _CHANCE
        # With all claims, and without one.
        strength, without = (
            np.clip(2 * (number - less - chance) / np.maximum(counts[0] + counts[1] - 2 * less, 1), 0, 1)
            for less in (0, 1)
        )
        shared = numbers[0].keys() & numbers[1].keys()
        names = np.array(
            [numbers[0][word] * width + numbers[1][word] for word in shared if _is_name(word)], np.int64
        )
        strong, least = strength > _WEAK, np.where(np.isin(pairs, names), _SAME, 0)
        own = _claimed(sides, entries, np.maximum(np.where(without > _WEAK, without, 0), least)[where])
        apart = np.setdiff1d(names, pairs)
        pairs = np.concatenate([pairs[strong], apart])
        strength = np.concatenate([np.maximum(strength, least)[strong], np.full(len(apart), _SAME)])
        words = list(numbers[0]), list(numbers[1])
        return cls(sides, np.stack([pairs // width, pairs % width], 1), strength, own, words)

    def between(self, one: Ints, two: Ints) -> Floats:
        """How well each of the rows `one` corresponds to each of the rows `two` of the other side."""
        forth = self._covered(0, one, two)
        return forth + self._covered(1, two, one).T

    def _covered(self, side: int, here: Ints, there: Ints) -> Floats:
        """The share of each other row's words that a row's words go together with: [here, there]."""
        order = np.argsort(self.pairs[:, side], kind="stable")
        begins = np.searchsorted(self.pairs[order, side], np.arange(len(self.sides[side].counts) + 1))
        partners = Ragged(order, begins)
        bags = self.sides[side].bags.take(here)
        found = partners.take(bags.values.astype(np.int64))
        rows = np.repeat(bags.rows(), found.lengths)
        best = np.zeros((len(here), len(self.sides[1 - side].counts)), np.float32)
        np.maximum.at(best, (rows, self.pairs[found.values, 1 - side]), self.strength[found.values])
        flags = self.sides[1 - side].flags(there)
        return np.asarray(best @ flags.T / np.maximum(flags.sum(1), 1e-9), float)


def _is_name(word: str) -> bool:
    return word.isdecimal() or len(word) >= _NAME


def _compared_words(one: Sequence[str], two: Sequence[str]) -> list[list[list[str]]]:
    """By side and text: the rarest words of a text that are in others of its side, but in not too many; of
    the words that are in no other, the numbers and names that the other side has too.
    """
    held = [[words_of(text) for text in texts] for texts in (one, two)]
    counts = [Counter(word for words in texts for word in words) for texts in held]
    compared = []
    for texts, count, other in zip(held, counts, reversed(counts), strict=True):
        usable = {
            word
            for word, number in count.items()
            if number <= max(2, _COMMON * len(one)) and (number > 1 or (word in other and _is_name(word)))
        }
        compared.append(
            [sorted(words & usable, key=lambda word: (count[word], word))[:_RAREST] for words in texts]
        )
    return compared


def _together(sides: tuple[_Side, _Side], width: int) -> tuple[Ints, Ints]:
    """All words that occur in a pair together, as keys; each one's entries on both sides (m, 2)."""
    bags = sides[0].bags, sides[1].bags
    lengths = bags[0].lengths * bags[1].lengths
    rows = np.repeat(np.arange(bags[0].count), lengths)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    wide = np.maximum(bags[1].lengths[rows], 1)
    entries = np.stack([bags[0].starts[rows] + place // wide, bags[1].starts[rows] + place % wide], 1)
    keys = bags[0].values[entries[:, 0]] * width + bags[1].values[entries[:, 1]]
    return keys.astype(np.int64), entries


def _claimed(sides: tuple[_Side, _Side], entries: Ints, strength: Floats) -> Floats:
    """How well each claimed pair corresponds."""
    total = np.zeros(sides[0].bags.count)
    for side in (0, 1):
        bags = sides[side].bags
        best = np.zeros(len(bags.values))
        np.maximum.at(best, entries[:, side], strength)
        weights = sides[side].weights[bags.values]
        total += bags.sums(best * weights) / np.maximum(bags.sums(weights), 1e-9)
    return total
