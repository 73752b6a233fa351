"""Comparing texts without case, punctuation and the form of letters; words that announce an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from crossin.core.files import read_yaml

# Scripts that put no space between words.
_UNSPACED = {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"}
# Scripts of which two letters make a word.
_DENSE = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"}
# Korean particles, written directly after a noun.
_PARTICLE = re.compile(r"(?:입니다|이다|이며|이에요|예요|은|는|이|가|을|를|의|에|로)(?![가-힣])")
_MINUS = re.compile(r"[−–—‒](?=\s?\d)")
# Scripts with spaces between words; others put words together, or prefixes onto them.
_SPACED = {"LATIN", "CYRILLIC", "GREEK"}
_LETTER = r"[^\W\d_]"


def script(character: str) -> str:
    """The script of a letter, from its Unicode name: "LATIN", "THAI", "CJK"; empty for all but letters."""
    return unicodedata.name(character, "").partition(" ")[0] if character.isalpha() else ""


def is_mark(character: str) -> bool:
    """Whether a character is part of the letter before it: an accent, a vowel sign."""
    return unicodedata.category(character).startswith("M")


def joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters, either of which may be empty, belong to one word or number."""
    if not left or not right:
        return False
    if is_mark(left) or is_mark(right):
        return True
    one, other = script(left), script(right)
    if one and other:
        return one == other and one not in _UNSPACED
    return (left.isalnum() and right.isalnum()) and not {one, other} & _UNSPACED


def is_distinctive(option: str) -> bool:
    """Whether a `plain` option that occurs anywhere is meant: not a number, nor a short word such as "no"."""
    letters = [character for character in option if character.isalpha() or is_mark(character)]
    return sum(2 if script(letter) in _DENSE else 1 for letter in letters) >= 4


def plain(text: str) -> str:
    """A text as it is compared: NFKC, casefolded, one space between words, no punctuation.

    Signs, decimal points and operators stay: they tell numbers and formulas apart.
    """
    # The dot remains of a Turkish İ.
    text = _MINUS.sub("-", unicodedata.normalize("NFKC", text)).casefold().replace("\u0307", "")
    kept = []
    for index, character in enumerate(text):
        before, after = text[index - 1 : index], text[index + 1 : index + 2]
        category = unicodedata.category(character)
        number = after.isdigit() and (before.isdigit() if character in ".," else not before.isalnum())
        if (
            character.isalnum()
            or category[0] == "M"
            or category in ("Sm", "Sc")
            or character in "%^/°"
            or (character in "-.," and number)
        ):
            kept.append(character)
        else:
            kept.append(" ")
    return " ".join("".join(kept).split())


def mentioned(text: str, options: Sequence[str]) -> list[tuple[int, int]]:
    """Which options occur in a text, and where: (start, position of the option). All texts are `plain`.

    The longest option is found first, then the leftmost; it covers others within it. Empty options, and
    options that are equal, are never found.
    """
    found = []
    alone = {option for option in options if option}
    for option in sorted(alone, key=lambda option: (-len(option), text.find(option), option)):
        position = options.index(option) if options.count(option) == 1 else None
        start = text.find(option)
        while start >= 0:
            end = start + len(option)
            before, after = text[max(0, start - 1) : start], text[end : end + 1]
            ends = not joined(text[end - 1], after) or _PARTICLE.match(text, end)
            if ends and not joined(before, text[start]):
                text = text[:start] + "\0" * len(option) + text[end:]
                if position is not None:
                    found.append((start, position))
            start = text.find(option, start + 1)
    return sorted(found)


@cache
def _words() -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = read_yaml(Path(__file__).with_name("words.yaml"))
    return found


def any_of(kind: Literal["answer", "option", "not", "correct", "is", "and_or", "question"]) -> str:
    """A pattern that matches any word of a kind, in NFKC text, the longest first."""
    words = {unicodedata.normalize("NFKC", word) for found in _words()[kind].values() for word in found}
    patterns = [
        f"(?<!{_LETTER}){re.escape(word)}(?!{_LETTER})" if script(word[0]) in _SPACED else re.escape(word)
        for word in sorted(words, key=lambda word: (-len(word), word))
    ]
    return f"(?:{'|'.join(patterns)})"
