"""Comparing texts without case, punctuation and the form of letters; words that announce an answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from typing import Any, Literal, NamedTuple

from crossin.core.files import read_yaml

# Scripts that put no space between words.
UNSPACED = {"CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR"}
# Scripts that put no space between a word and a digit.
BESIDE_DIGITS = UNSPACED | {"HANGUL"}
# "And", written together with the label that follows: "أ وب", "א וב".
AND_BEFORE = "וو"
# Scripts of which two letters make a word.
_DENSE = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL"}
# Korean particles, written directly after a noun.
_PARTICLE = re.compile(r"(?:입니다|이다|이며|이에요|예요|은|는|이|가|을|를|의|에|로)(?![가-힣])")
_WHITE = re.compile(r"NEGATIVE (?:CIRCLED|SQUARED) LATIN CAPITAL LETTER (.)$")
# Points, commas and hyphens that are not part of a number.
_NO_NUMBER = re.compile(r"[.,-](?:(?<!\d[.,])(?<=[.,])|(?<=[^\W_]-)|(?!\d))")
_MINUS = re.compile(r"[−–—‒](?=\s?\d)")
# Scripts with spaces between words; others put words together, or prefixes onto them.
_SPACED = {"LATIN", "CYRILLIC", "GREEK"}
Kind = Literal["answer", "option", "not", "correct", "is", "and_or", "question"]
_LETTER = r"[^\W\d_]"
ZERO_WIDTH_SPACE = "\u200b"
# One within a text, unless it sets a single letter apart as a space would.
_WITHIN = re.compile(
    rf"(?<!^{_LETTER})(?<![\u200b\s:(]{_LETTER})\u200b(?!{_LETTER}(?:[\u200b\s.,:;)]|$))", re.MULTILINE
)
# Invisible characters that Unicode does not class as formats (Cf): joiners, fillers and choices of a shape;
# the box around a digit as emoji; the line that makes Arabic words wider.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u20e3\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef\u0640]"
)


@cache
def data(name: str) -> Any:
    """The content of a YAML file in this folder."""
    return read_yaml(Path(__file__).with_name(name))


def visible(text: str) -> str:
    """A text in NFKC without what cannot be seen (soft hyphens, joiners, marks of direction), with the digits
    and punctuation of all scripts as 0 to 9, `.`, `,` and so on.

    A zero-width space stays where it sets a letter apart, which may be a label.
    """
    if text.isascii():
        return text
    text = unicodedata.normalize("NFKC", text)
    text = text.translate(_SEEN)
    return _WITHIN.sub("", text) if ZERO_WIDTH_SPACE in text else text


class _Translation(dict[int, str]):
    """A table for `str.translate`, which asks only once what a character becomes."""

    def __init__(self, becomes: Callable[[str], str]) -> None:
        self._becomes = becomes

    def __missing__(self, code: int) -> str:
        return self.setdefault(code, self._becomes(chr(code)))


def _seen(character: str) -> str:
    """A character of an NFKC text, as it is compared."""
    digit = unicodedata.digit(character, None)
    if digit is not None:
        return str(digit)
    if character != ZERO_WIDTH_SPACE and (
        unicodedata.category(character) == "Cf" or _INVISIBLE.match(character)
    ):
        return ""
    # White letters on black, which NFKC leaves.
    if white := _WHITE.match(unicodedata.name(character, "")):
        return white[1]
    marks: dict[str, str] = data("labels.yaml")["marks"]
    return next((mark for mark, others in marks.items() if character in others), character)


_SEEN = _Translation(_seen)


@cache
def script(character: str) -> str:
    """The script of a letter, from its Unicode name: "LATIN", "THAI", "CJK"; empty for all but letters."""
    # The long vowel ー is of "KATAKANA-HIRAGANA".
    return re.split("[ -]", unicodedata.name(character, ""))[0] if character.isalpha() else ""


class ScriptSets(NamedTuple):
    """Letters and marks (accents, vowel signs) of a script, each as a pattern's set without its brackets;
    empty where there are none.
    """

    letters: str
    marks: str


def alphabet(script_name: str) -> ScriptSets:
    """What makes a word of a letter of this script beside it; empty for scripts that put no space between
    words, and digits. Far from all: what is below U+2000, without "and" of Hebrew and Arabic, which is
    written together with a label.
    """
    known = {} if script_name in BESIDE_DIGITS else _alphabets()
    return ScriptSets(known.get((script_name, False), ""), known.get((script_name, True), ""))


@cache
def _alphabets() -> dict[tuple[str, bool], str]:
    """Sets of characters by script, and by whether they are marks."""
    found: dict[tuple[str, bool], str] = {}
    for name, codes in groupby(range(0x2000), key=lambda code: _named_script(chr(code))):
        first, *_, last = [*codes] * 2
        if name is not None:
            found[name] = found.get(name, "") + rf"\u{first:04x}-\u{last:04x}"
    return found


def _named_script(character: str) -> tuple[str, bool] | None:
    if is_mark(character):
        return unicodedata.name(character, "").partition(" ")[0], True
    return (script(character), False) if character.isalpha() and character not in AND_BEFORE else None


def is_mark(character: str) -> bool:
    """Whether a character is part of the letter before it: an accent, a vowel sign."""
    return unicodedata.category(character).startswith("M")


def joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters, either of which may be empty, belong to one word or number."""
    if not left or not right:
        return False
    if is_mark(right):
        return True
    if is_mark(left):
        return right.isalnum() and script(right) not in UNSPACED
    one, other = script(left), script(right)
    if one and other:
        return one == other and one not in UNSPACED
    return (left.isalnum() and right.isalnum()) and not {one, other} & UNSPACED


def is_distinctive(option: str) -> bool:
    """Whether a `plain` option that occurs anywhere is meant: not a number, nor a short word such as "no"."""
    letters = [character for character in option if character.isalpha() or is_mark(character)]
    return sum(2 if script(letter) in _DENSE else 1 for letter in letters) >= 4


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A text as it is compared: `visible`, casefolded, one space between words, no punctuation.

    Signs, decimal points and operators stay: they tell numbers and formulas apart.
    """
    # The dot remains of a Turkish İ.
    text = _MINUS.sub("-", visible(text)).casefold().replace("\u0307", "").replace(ZERO_WIDTH_SPACE, "")
    text = _NO_NUMBER.sub(" ", text)
    text = text.translate(_COMPARED)
    return " ".join(text.split())


def _compared(character: str) -> str:
    """A character as a `plain` text has it."""
    category = unicodedata.category(character)
    kept = character.isalnum() or category[0] == "M" or category in ("Sm", "Sc") or character in "%^/°-.,"
    return character if kept else " "


_COMPARED = _Translation(_compared)


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
def any_of(*kinds: Kind) -> str:
    """A pattern that matches any word of these kinds, in a `visible` text, the longest first."""
    words = _words_of(*kinds)
    spaced = _either([word for word in words if script(word[0]) in _SPACED])
    others = _either([word for word in words if script(word[0]) not in _SPACED])
    # Most characters begin none.
    first = "".join(sorted({re.escape(word[0]) for word in words}))
    return f"(?=[{first}])(?:(?<!{_LETTER}){spaced}(?!{_LETTER})|{others})"


def longest_of(*kinds: Kind) -> int:
    """The length of the longest word of these kinds."""
    return max(map(len, _words_of(*kinds)))


def _words_of(*kinds: Kind) -> list[str]:
    found = (data("words.yaml")[kind] for kind in kinds)
    return sorted(
        {visible(word) for by_language in found for listed in by_language.values() for word in listed}
    )


def _either(words: Sequence[str]) -> str:
    """A pattern that matches any of these sorted words, the longest first. One choice for each first letter:
    trying every word at every place would take longer than all else.
    """
    choices = []
    for first, group in groupby(words, key=lambda word: word[0]):
        rests = sorted((re.escape(word[1:]) for word in group), key=len, reverse=True)
        choices.append(f"{re.escape(first)}(?:{'|'.join(rests)})")
    return f"(?:{'|'.join(choices)})"
