"""Rows too near a benchmark: training text that shares a run of words with one of its items."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet
from crossin.languages.segmentation import shown, units, units_a_word

if TYPE_CHECKING:
    import pyarrow

_CHUNK = 4096
# A question too short for one n-gram counts whole, if it has at least so many words.
_SHORTEST = 4
# Words in a row that stand in more questions than this are the benchmark's form ("which of the following
# is"), not its content (Brown et al. 2020, appendix C, leave out n-grams that are met more than ten times).
_FORM = 10

_COLUMNS = ["item", "language", "context", "question", "options"]


class Match(NamedTuple):
    """That row `row` (from 0) shares the words `shared` with the benchmark's item `item`."""

    row: int
    item: str
    shared: str


def bench_ngrams(folder: Path, ngram: int) -> dict[str, dict[str, str]]:
    """What a benchmark's items are known by: per language, `ngram` words in a row -> the item's name.

    folder: a benchmark (`items.parquet`, docs/formats.md). Two characters count as a word where a language is
    written without spaces (zh, ja, th, lo, km, my), and three syllables as two words in Vietnamese; letters
    are folded (NFKC, no case) and punctuation does not count.

    The n-grams are those of the context, of the question, and those that begin in the question and reach into
    the options behind it: options alone ("true or false") name no item. A question of fewer words is an
    n-gram as a whole, from four words on. What stands in more than ten of a language's different questions is
    their form and names no item; a question made of form alone is known as a whole. Words that several items
    share name the first.

    Raises CrossinError where the folder is no benchmark or `ngram` is below 2.
    """
    if ngram < 2:
        raise CrossinError(f"{ngram} words in a row tell no item", field="ngram", hint="use 8, or at least 3")
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
        behind = units(" ".join(line["options"] or ()))
        # One word less than an n-gram of the options: each begins in the question.
        keys = _windows(question + behind[: length - 1], length)
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
    """Which rows share words in a row with a benchmark: bool, shape (n,), and the evidence.

    columns: the fields of n rows of one language (instruction, input, output), each of length n; each field
    is looked at alone; null counts as empty. ngrams: those of the same language from `bench_ngrams`. The
    matches are in order of rows, one for each row and item, with the first words that they share.

    Words that name an item may be part of others: "the capital of Guinea" stands in "the capital of
    Guinea-Bissau", 马里 (Mali) in 索马里 (Somalia). Such a row is flagged too: rather a row too few than an
    item too many.
    """
    flags = np.zeros(len(columns[0]), dtype=bool)
    matches: list[Match] = []
    # The words that begin an n-gram, with the lengths that such n-grams have.
    lengths: dict[str, set[int]] = defaultdict(set)
    for key in ngrams:
        lengths[key.partition(" ")[0]].add(key.count(" ") + 1)
    begins = {word: sorted(sizes) for word, sizes in lengths.items()}
    known = {word for key in ngrams for word in key.split(" ")}
    for start in range(0, len(flags), _CHUNK):
        chunk = zip(*(column.slice(start, _CHUNK).to_pylist() for column in columns), strict=True)
        for row, fields in enumerate(chunk, start):
            found: dict[str, str] = {}
            for field in fields:
                for key in _shared(units(field), ngrams, begins, known) if field else ():
                    found.setdefault(ngrams[key], shown(key))
            flags[row] = bool(found)
            matches += [Match(row, item, shared) for item, shared in found.items()]
    return flags, matches


def _windows(parts: list[str], length: int) -> list[str]:
    return [" ".join(parts[start : start + length]) for start in range(len(parts) - length + 1)]


def _shared(
    parts: list[str], ngrams: Mapping[str, str], begins: Mapping[str, list[int]], known: set[str]
) -> list[str]:
    """The n-grams that stand in a text, in its order."""
    found = []
    # An n-gram lies within a run of words that the benchmark knows; most text has no run that is long enough.
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
