"""Contamination: training text that shares consecutive words with a benchmark's item."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
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

_COLUMNS = ["item", "language", "context", "question", "options"]


class Match(NamedTuple):
    """That row `row` (from 0) shares the words `shared` with the benchmark's item `item`."""

    row: int
    item: str
    shared: str


def bench_ngrams(folder: Path, ngram: int) -> dict[str, dict[str, str]]:
    """The n-grams that identify a benchmark's items: language -> consecutive words -> the item's name.

    folder: a benchmark (`items.parquet`, docs/formats.md). Two characters count as a word where a language is
    written without spaces (zh, ja, th, lo, km, my), and three syllables as two words in Vietnamese; letters
    are folded (NFKC, no case) and punctuation does not count.

    The n-grams are those of the context, of the question, and those that begin in the question and end in the
    options after it: options alone ("true or false") identify no item. A question of fewer words is one
    n-gram, from four words on. An n-gram of more than ten of a language's different questions is their form
    and identifies no item; a question of nothing but such n-grams is identified by all of it. Words that
    several items share identify the first.

    Raises CrossinError where the folder is not a benchmark.
    """
    by_language: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in read_parquet(folder / "items.parquet", _COLUMNS).to_pylist():
        by_language[line["language"]].append(line)
    return {language: _ngrams(language, lines, ngram) for language, lines in by_language.items()}


def _ngrams(language: str, lines: list[dict[str, Any]], ngram: int) -> dict[str, str]:
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
    for whole, (item, keys) in asked.items():
        size = whole.count(" ") + 1
        # Whole, too: what is shorter than an n-gram, and what is made of nothing but form.
        if shortest <= size and (size <= length or not any(key in named for key in keys)):
            named.setdefault(whole, item)
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
    # The words that begin an n-gram, with the lengths that such n-grams have.
    lengths: dict[str, set[int]] = defaultdict(set)
    for key in ngrams:
        lengths[key.partition(" ")[0]].add(key.count(" ") + 1)
    begins = {word: sorted(sizes) for word, sizes in lengths.items()}
    known = {word for key in ngrams for word in key.split(" ")}
    for row, fields in enumerate(rows_of(columns)):
        found: dict[str, str] = {}
        for field in fields:
            for key in _shared(units(field), ngrams, begins, known):
                found.setdefault(ngrams[key], shown(key))
        flags[row] = bool(found)
        matches += [Match(row, item, shared) for item, shared in found.items()]
    return flags, matches


def _windows(parts: list[str], length: int) -> list[str]:
    return [" ".join(parts[start : start + length]) for start in range(len(parts) - length + 1)]


def _shared(
    parts: list[str], ngrams: Mapping[str, str], begins: Mapping[str, list[int]], known: set[str]
) -> list[str]:
    """The n-grams that occur in a text, in its order."""
    found = []
    # An n-gram is inside a run of the benchmark's words; most text has no run that is long enough.
    run = 0
    ends = [0] * len(parts)
    for place in range(len(parts) - 1, -1, -1):
        run = run + 1 if parts[place] in known else 0
        ends[place] = run
    for place, word in enumerate(parts):
        for length in begins.get(word, ()):
            if length > ends[place]:
                break
            key = " ".join(parts[place : place + length])
            if key in ngrams:
                found.append(key)
    return found
