"""What the alignment check finds, as codes with the field and the language that each is about."""

from __future__ import annotations

from dataclasses import dataclass

from crossin.core.reasons import Reason

_FIX = (
    "look at these rows beside those of the other language: ids or positions may not match, or the file is "
    "another one (`check: none` does not compare them)"
)


class AlignmentReason(Reason):
    """Why a row looks wrong; all but EMPTY need texts on both sides."""

    EMPTY = "empty", "empty", _FIX
    UNTRANSLATED = "untranslated", "left untranslated", _FIX
    WRONG_LANGUAGE = "wrong_language", "wrong language", _FIX
    CONTENT = "content", "not the same content", _FIX
    NUMBERS = "numbers", "a number differs", _FIX
    LENGTH = "length", "too long or too short", _FIX


@dataclass(frozen=True)
class AlignmentCheck:
    """One thing that is checked: the reason, the language at fault (the other one, where it is about both
    sides), and the field, '' for the whole row.
    """

    reason: AlignmentReason
    language: str
    field: str = ""

    @property
    def code(self) -> str:
        """The reason with field and language: `wrong_language:vi`, `length:output:vi`."""
        return self.reason.about(*filter(None, (self.field, self.language)))
