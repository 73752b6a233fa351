"""The features of one translation: what can be counted without other rows, as soon as it arrives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from crossin.core.formats import FIELDS
from crossin.languages.codes import script_of
from crossin.languages.detection import likelihood
from crossin.translation.checks.signals import comment_in, copied_share, loops, repetition
from crossin.translation.protection import PLACEHOLDER, protect

# A text cannot end with one of these.
_OPEN = tuple(",，、-–(（")
# A full stop ends a sentence before a blank or at the end; the marks of other scripts always do.
_END = re.compile(r"[.!?…][\"'”’)\]*]*(?=\s|$)|[。！？…]+[”’」』）]*|[।؟]+")
# What looks like an end and is not: an initial, an abbreviation, the number of a list's item.
_NO_END = re.compile(
    r"(?:\b[A-Za-z]|\b(?:[A-Za-z]\.)+[A-Za-z]|\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|etc|approx|No)|^\s*\d+)\.$"
)
# Languages without a mark at the end of a sentence, in which sentences cannot be counted.
_UNMARKED = {"th", "lo", "km", "my"}


@dataclass(frozen=True)
class TranslationPair:
    """A row's texts and their translations, by field ('' where there is none). cut: the translator reached
    its token limit.
    """

    source: Mapping[str, str]
    target: Mapping[str, str]
    cut: bool = False


@dataclass(frozen=True)
class FieldFeatures:
    """Features of a field's prose, which is the text without protected spans.

    sizes: characters that are not blanks, of source and target. sentences, lines: counts of both; lines with
    a letter or digit. copied, language: see `copied_share` and `likelihood`. repeated: by how much the target
    repeats itself more than the source, 1 for a loop. comment: see `comment_in`. unfinished: the source ends
    with a mark and the target does not.
    """

    sizes: tuple[int, int]
    sentences: tuple[int, int] = (0, 0)
    lines: tuple[int, int] = (0, 0)
    copied: float = 0.0
    language: float = 1.0
    repeated: float = 0.0
    comment: str = ""
    unfinished: bool = False


@dataclass(frozen=True)
class RowFeatures:
    """A pair and the features of its fields."""

    pair: TranslationPair
    fields: dict[str, FieldFeatures]


def features_of(pair: TranslationPair, source: str, target: str) -> RowFeatures:
    """The features of a pair in the languages `source` and `target`."""
    return RowFeatures(
        pair, {field: _of_field(pair.source[field], pair.target[field], source, target) for field in FIELDS}
    )


def prose_of(text: str) -> str:
    """A text without its protected spans: code and links are the same in every language."""
    return PLACEHOLDER.sub(" ", protect(text).text)


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, line by line; the rest of a line without an end is one too."""
    found: list[str] = []
    for line in text.split("\n"):
        start = 0
        for end in _END.finditer(line):
            part = line[start : end.end()]
            if not _NO_END.search(part):
                found.append(part)
                start = end.end()
        found.append(line[start:])
    return [part.strip() for part in found if any(map(str.isalpha, part))]


def _of_field(original: str, translated: str, source: str, target: str) -> FieldFeatures:
    if not original.strip() or not translated.strip():
        return FieldFeatures((_size(original), _size(translated)))
    one, two = prose_of(original), prose_of(translated)
    ours, theirs = sentences_of(one), sentences_of(two)
    counted = target.split("-")[0] not in _UNMARKED and source.split("-")[0] not in _UNMARKED
    return FieldFeatures(
        (_size(one), _size(two)),
        (len(ours), len(theirs)) if counted else (1, 1),
        (_lines(original), _lines(translated)),
        copied_share(ours, theirs, script_of(source) == script_of(target)),
        likelihood(two, target, source_text=one, source=source),
        1.0 if loops(two) and not loops(one) else max(0.0, repetition(two) - repetition(one)),
        comment_in(original, translated),
        counted and _is_finished(original) and not _is_finished(translated),
    )


def _size(text: str) -> int:
    return len("".join(text.split()))


def _lines(text: str) -> int:
    return sum(any(map(str.isalnum, line)) for line in text.split("\n"))


def _is_finished(text: str) -> bool:
    """Whether a text ends with a mark, such as a full stop, and not in the middle of a sentence."""
    last = text.rstrip()[-1:]
    return not (last.isalnum() or last in _OPEN)
