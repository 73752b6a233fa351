"""What can be counted of a translation by itself, as soon as it comes."""

from __future__ import annotations

from dataclasses import dataclass

from crossin.core.formats import FIELDS
from crossin.languages.codes import script_of
from crossin.translation.filters.copied import copied
from crossin.translation.filters.language import likelihood
from crossin.translation.filters.meta import remark
from crossin.translation.filters.pair import Pair
from crossin.translation.filters.prose import UNMARKED, prose_of, sentences
from crossin.translation.filters.repetition import loops, repetition

# Where a text cannot end.
_OPEN = tuple(",，、-–(（")


@dataclass(frozen=True)
class FieldLook:
    """Figures of a field's prose. Sizes are characters that are no blanks, of source and target; so are the
    counts of sentences and of lines with a letter or digit.

    `copied`, `language`: see their gates. `repeated` is by how much the target repeats itself more than the
    source, 1 for a loop. `open` says that the source ends with a mark and the target does not.
    """

    sizes: tuple[int, int]
    sentences: tuple[int, int]
    lines: tuple[int, int]
    copied: float
    language: float
    repeated: float
    remark: str
    open: bool


@dataclass(frozen=True)
class Look:
    """A pair and the figures of its fields."""

    pair: Pair
    fields: dict[str, FieldLook]


def look(pair: Pair, source: str, target: str) -> Look:
    """Count a pair whose languages are `source` and `target`."""
    return Look(
        pair,
        {field: _look(pair.source[field], pair.target[field], source, target) for field in FIELDS},
    )


def _look(original: str, translated: str, source: str, target: str) -> FieldLook:
    if not original.strip() or not translated.strip():
        return FieldLook((_size(original), _size(translated)), (0, 0), (0, 0), 0.0, 1.0, 0.0, "", False)
    one, two = prose_of(original, translated)
    ours, theirs = sentences(one), sentences(two)
    counted = target.split("-")[0] not in UNMARKED and source.split("-")[0] not in UNMARKED
    return FieldLook(
        (_size(one), _size(two)),
        (len(ours), len(theirs)) if counted else (1, 1),
        (_lines(original), _lines(translated)),
        copied(ours, theirs, script_of(source) == script_of(target)),
        likelihood(two, one, target, source),
        1.0 if loops(two) and not loops(one) else max(0.0, repetition(two) - repetition(one)),
        remark(original, translated),
        counted and _ends(original) and not _ends(translated),
    )


def _size(text: str) -> int:
    return len("".join(text.split()))


def _lines(text: str) -> int:
    return sum(any(map(str.isalnum, line)) for line in text.split("\n"))


def _ends(text: str) -> bool:
    """Whether a text ends with a mark of its own, such as a full stop, and not in the midst of a sentence."""
    last = text.rstrip()[-1:]
    return not (last.isalnum() or last in _OPEN)
