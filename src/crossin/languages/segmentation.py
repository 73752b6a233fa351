"""What texts are compared by: words, or single characters where a script puts no spaces between words."""

from __future__ import annotations

import re
import unicodedata

from crossin.languages.scripts import SPACELESS

_SINGLE = re.compile(f"[{SPACELESS}]")
_UNIT = re.compile(f"[{SPACELESS}]|[^{SPACELESS}\\s]+")
_BETWEEN = re.compile(f"(?<=[{SPACELESS}]) (?=[{SPACELESS}])")
_UNSPACED_LANGUAGES = {"zh", "yue", "ja", "th", "lo", "km", "my"}


class _Letters(dict[int, str]):
    """A table for `str.translate` that keeps letters, marks and digits and turns all else into spaces."""

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))
        # Joiners and other format characters stand inside of words (Hindi, Persian).
        kept = chr(code) if kind[0] in "LMN" else "" if kind == "Cf" else " "
        self[code] = kept
        return kept


_LETTERS = _Letters()


def fold(text: str) -> str:
    """The text without what the eye does not tell apart: NFKC, no case, each run of white space one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def units(text: str) -> list[str]:
    """The words of a text, folded and without punctuation; each character of a script without spaces is a
    unit of its own.
    """
    letters = fold(text).translate(_LETTERS)
    return letters.split() if letters.isascii() else _UNIT.findall(letters)


def mostly_single(parts: list[str]) -> bool:
    """Whether most units of a text are characters of a script without spaces."""
    return 2 * sum(_SINGLE.fullmatch(unit) is not None for unit in parts) > len(parts)


def shown(spaced: str) -> str:
    """Units with spaces between them (`" ".join(units)`), as their script would write them."""
    return _BETWEEN.sub("", spaced)


def units_a_word(language: str) -> float:
    """How many units count as a word: two characters in a language written without spaces, one and a half of
    the syllables that Vietnamese writes apart, else one.
    """
    code = language.partition("-")[0]
    return 2 if code in _UNSPACED_LANGUAGES else 1.5 if code == "vi" else 1
