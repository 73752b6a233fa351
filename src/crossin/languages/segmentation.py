"""The units that texts are compared by: words, or characters in scripts without spaces between words."""

from __future__ import annotations

import re
import unicodedata

from crossin.languages.scripts import SPACELESS

_SINGLE = re.compile(f"[{SPACELESS}]")
_UNIT = re.compile(f"[{SPACELESS}]|[^{SPACELESS}\\s]+")
_BETWEEN = re.compile(f"(?<=[{SPACELESS}]) (?=[{SPACELESS}])")
_UNSPACED_LANGUAGES = {"zh", "yue", "ja", "th", "lo", "km", "my"}


class _Letters(dict[int, str]):
    """A table for `str.translate` that keeps letters, marks and digits; all else becomes a space."""

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))
        # Joiners and other format characters are inside of words (Hindi, Persian).
        kept = chr(code) if kind[0] in "LMN" else "" if kind == "Cf" else " "
        self[code] = kept
        return kept


_LETTERS = _Letters()


def fold(text: str) -> str:
    """The text in NFKC, without case, each run of white space as one space."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def units(text: str) -> list[str]:
    """The words of a text, folded and without punctuation; in a script without spaces, its characters."""
    letters = fold(text).translate(_LETTERS)
    return letters.split() if letters.isascii() else _UNIT.findall(letters)


def mostly_single(parts: list[str]) -> bool:
    """Whether most units of a text are characters of a script without spaces."""
    return 2 * sum(_SINGLE.fullmatch(unit) is not None for unit in parts) > len(parts)


def shown(spaced: str) -> str:
    """Units joined by spaces (`" ".join(units)`), as their script would write them."""
    return _BETWEEN.sub("", spaced)


def units_a_word(language: str) -> float:
    """The number of units in a word: two characters in a language written without spaces, one and a half of
    the syllables of Vietnamese, else one.
    """
    return 2 if is_unspaced(language) else 1.5 if language.partition("-")[0] == "vi" else 1


def is_unspaced(language: str) -> bool:
    """Whether a language is written without spaces between words."""
    return language.partition("-")[0] in _UNSPACED_LANGUAGES
