"""Reasons as codes: why something was left out or rejected. Programs read codes, people sentences."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

_SENTENCES: dict[str, str] = {}
_FIXES: dict[str, str] = {}
_KEPT: set[str] = set()


class Reason(StrEnum):
    """The base of a package's reason codes; each member is a code, the sentence that people read, and where
    something can be done about it, what.

    class FilterReason(Reason):
        TOO_LONG = "too_long", "longer than the limit", "raise `longest`"
    """

    sentence: str

    def __new__(cls, code: str, sentence: str, fix: str = "", kept: bool = False) -> Reason:
        """Make a member, which is equal to its code. `kept`: what it is about is changed, not left out."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.sentence = sentence
        _SENTENCES[code] = sentence
        if fix:
            _FIXES[code] = fix
        if kept:
            _KEPT.add(code)
        return member

    def about(self, *details: str) -> str:
        """The code with details, such as a language or a field: `wrong_language:vi`."""
        return ":".join([self.value, *details])


def sentence_of(code: str) -> str:
    """What people read for a code, with its details in brackets; a code of a package that is not loaded is
    shown with spaces.
    """
    name, *details = code.split(":")
    sentence = _SENTENCES.get(name, name.replace("_", " "))
    return f"{sentence} ({', '.join(details)})" if details else sentence


def fix_of(code: str) -> str:
    """What a user can do about this reason; '' where nothing is known."""
    return _FIXES.get(code.partition(":")[0], "")


def counted_sentences(counts: Mapping[str, int], unit: str = "rows") -> list[str]:
    """A line for each reason, the most frequent first: `left out: 4,315 rows, longer than the limit`; of rows
    that are kept `changed: …`.
    """

    def line(code: str, count: int) -> str:
        what = "changed" if code.partition(":")[0] in _KEPT else "left out"
        return f"{what}: {count:,} {unit}, {sentence_of(code)}"

    return [line(*pair) for pair in sorted(counts.items(), key=lambda pair: -pair[1])]
