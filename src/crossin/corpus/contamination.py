"""Contamination: training text that shares consecutive words with a benchmark's item."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from crossin.core.files import read_parquet
from crossin.corpus.texts import rows_of
from crossin.languages.segmentation import shown, units, units_a_word

if TYPE_CHECKING:
    import pyarrow

# A question shorter than an n-gram is one n-gram, if it has at least this many words.
_SHORTEST = 4
# N-grams of more questions than this are the benchmark's form ("which of the following is"), not its content
# (Brown et al. 2020, appendix C, leave out n-grams that occur more than ten times).
_FORM = 10
# Phrases are looked up by so many first words.
_FIRST = 3

_COLUMNS = ["item", "language", "context", "question", "options"]


class Match(NamedTuple):
    """That row `row` (from 0) shares the words `shared` with the benchmark's item `item`."""

    row: int
    item: str
    shared: str


class Phrases:
    """Texts by their words (`" ".join(units(text))`), to find those that occur in other texts."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._all = frozenset(phrases)
        # By the first words of a phrase, three at most: the numbers of words that such phrases have.
        self._lengths: dict[str, set[int]] = defaultdict(set)
        # By the first word alone: the fewest.
        self._fewest: dict[str, int] = {}
        for phrase in self._all:
            words = phrase.split(" ")
            self._lengths[" ".join(words[:_FIRST])].add(len(words))
            self._fewest[words[0]] = min(len(words), self._fewest.get(words[0], len(words)))
        self._known = {word for phrase in self._all for word in phrase.split(" ")}

    def within(self, parts: Sequence[str]) -> list[tuple[int, str]]:
        """The phrases that occur among the words of a text, as whole words, each with the number of its first
        word (from 0), in the text's order.
        """
        found = []
        # A phrase is inside a run of known words; most text has no run that is long enough.
        run = 0
        runs = [0] * len(parts)
        for place in range(len(parts) - 1, -1, -1):
            run = run + 1 if parts[place] in self._known else 0
            runs[place] = run
        for place, word in enumerate(parts):
            if self._fewest.get(word, len(parts) + 1) > runs[place]:
                continue
            for size in range(1, min(_FIRST, runs[place]) + 1):
                for length in sorted(self._lengths.get(" ".join(parts[place : place + size]), ())):
                    phrase = " ".join(parts[place : place + length])
                    if length <= runs[place] and phrase in self._all:
                        found.append((place, phrase))
        return found


def bench_ngrams(folder: Path, ngram: int) -> dict[str, dict[str, str]]:
    """`item_ngrams` of a benchmark (`items.parquet`, docs/formats.md).

    Raises CrossinError where the folder is not a benchmark.
    """
    return item_ngrams(read_parquet(folder / "items.parquet", _COLUMNS).to_pylist(), ngram)


def item_ngrams(
    items: Iterable[Mapping[str, Any]], ngram: int, *, whole: bool = True
) -> dict[str, dict[str, str]]:
    """The n-grams that identify a benchmark's items: language -> consecutive words -> the item's name.

    items: rows with `item`, `language`, `context`, `question` and `options`. Two characters count as a word
    where a language is written without spaces (zh, ja, th, lo, km, my), and three syllables as two words in
    Vietnamese; letters are folded (NFKC, no case) and punctuation does not count.

    The n-grams are those of the context, of the question, and those that begin in the question and end in the
    options after it: options alone ("true or false") identify no item. A question of fewer words is one
    n-gram, from four words on. An n-gram of more than ten of a language's different questions is their form
    and identifies no item; a question of nothing but such n-grams is identified by all of it. Words that
    several items share identify the first. Without `whole`, neither short questions nor questions of form
    are n-grams as a whole.
    """
    by_language: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for line in items:
        by_language[line["language"]].append(line)
    return {language: _ngrams(language, lines, ngram, whole) for language, lines in by_language.items()}


def _ngrams(language: str, lines: list[Mapping[str, Any]], ngram: int, whole: bool) -> dict[str, str]:
    length, shortest = (round(words * units_a_word(language)) for words in (ngram, _SHORTEST))
    named: dict[str, str] = {}
    asked: dict[str, tuple[str, list[str]]] = {}  # a question -> its item and its n-grams
    for line in lines:
        question = units(line["question"] or "")
        options = units(" ".join(line["options"] or ()))
        # One word less than an n-gram of the options: each begins in the question.
        keys = _windows(question + options[: length - 1], length)
        item, so_far = asked.setdefault(" ".join(question), (line["item"], []))
        so_far += keys
        for key in (*keys, *_windows(units(line["context"] or ""), length)):
            named.setdefault(key, line["item"])
    counts = Counter(key for _, keys in asked.values() for key in set(keys))
    named = {key: item for key, item in named.items() if counts[key] <= _FORM}
    for text, (item, keys) in asked.items() if whole else ():
        size = text.count(" ") + 1
        # Whole, too: what is shorter than an n-gram, and what is made of nothing but form.
        if shortest <= size and (size <= length or not any(key in named for key in keys)):
            named.setdefault(text, item)
    return named


def contaminated(
    columns: Sequence[pyarrow.LargeStringArray], ngrams: Mapping[str, str]
) -> tuple[npt.NDArray[np.bool_], list[Match]]:
    """Which rows share consecutive words with a benchmark: bool, shape (n,), and the evidence.

    columns: the fields of n rows of one language (instruction, input, output), each of length n; each field
    is checked alone; null counts as empty. ngrams: those of the same language from `bench_ngrams`. The
    matches are in order of rows, one for each row and item, with the first words that they share.

    An item's words may be part of longer ones: "the capital of Guinea" is in "the capital of Guinea-Bissau",
    马里 (Mali) in 索马里 (Somalia). Such a row is flagged too: losing a row is better than leaking an item.
    """
    flags = np.zeros(len(columns[0]), dtype=bool)
    matches: list[Match] = []
    phrases = Phrases(ngrams)
    for row, fields in enumerate(rows_of(columns)):
        found: dict[str, str] = {}
        for field in fields:
            for _, key in phrases.within(units(field)):
                found.setdefault(ngrams[key], shown(key))
        flags[row] = bool(found)
        matches += [Match(row, item, shared) for item, shared in found.items()]
    return flags, matches


def _windows(parts: list[str], length: int) -> list[str]:
    return [" ".join(parts[start : start + length]) for start in range(len(parts) - length + 1)]
