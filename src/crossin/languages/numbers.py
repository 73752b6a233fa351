"""The number that a text gives as its answer: the last one, in the digits and separators of any language.

Digits count, and 万 and 億 after them. Other number words (forty-eight, 百二十, 2 million) are not read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache

# Languages that CLDR gives a comma before decimals. Numbers in them are often written the English way, too.
_COMMA = (
    "af ast az be bg br bs ca cs cv da de dsb el eo es et eu ff fi fo fr fy gl hr hsb ht hu hy ia id is "
    "it jv ka kab kea kk kl ku ky lb lij ln lo lt lv mk nb nl nn no pl ps pt rn ro ru rw sah sc se sg "
    "sk sl smn sq sr ss su sv tg tk tr ts tt uk uz ve vec vi wo"
)
_DECIMAL_COMMA = frozenset(_COMMA.split())
# ٫ stays as it is: it stands before decimals and nowhere else. What only groups digits becomes an apostrophe.
_SIGNS = str.maketrans(
    {**dict.fromkeys("’‘ʼ′＇٬", "'"), **dict.fromkeys("−－﹣–", "-"), **dict.fromkeys("，،", ",")}
    | {**dict.fromkeys("\u00a0\u2009\u202f\u2007\u2008", " "), **dict.fromkeys("／⁄∕", "/"), "．": "."}
)
_LATEX = (
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r" \1/\2"),
    (re.compile(r"\{([,.])\}"), r"\1"),
    (re.compile(r"\\[,;:! ]|(?<=\d)~(?=\d)"), " "),
    (re.compile(r"\\([$%])"), r"\1"),
)
_BOXED = re.compile(r"\\f?boxed\s*\{")
# A space groups exactly three digits. An exponent as computers write it belongs to the number.
_NUMBER = re.compile(r"(?:\d+(?:[.,'٫]\d+| \d{3}(?!\d))*|(?<![\w.])[.٫]\d+)(?:[eE][-+]?\d{1,3}(?!\w))?")
_LETTER = "A-Za-z\u00c0-\u024f\u0370-\u03ff\u0400-\u052f"
# Before a digit that is part of a name, unit or formula: CO2, m2, x_1, cm^2.
_PART = re.compile(rf"(?:[{_LETTER}]|[{_LETTER}]_\{{?|\^\{{?-?)\Z")
# Before a minus that is a dash or a subtraction: F-16, 40-48, (a)-3.
_JOINED = re.compile(rf"[{_LETTER}\d)\]}}%]\Z")
_MYRIADS = {**dict.fromkeys("万萬만", 10**4), **dict.fromkeys("亿億억", 10**8)}
# Longer ones are no answer, and slow to compute with.
_LONGEST = 100


def last_number(text: str, language: str) -> frozenset[Fraction]:
    """The values that the last number of a text in `language` (BCP-47) can mean: one, or two where the
    separator can be read in two ways; none where the text has no number.

    Digits of any script count, with separators (1,234.5, 1.234,5, 1 234, 1'234, ١٬٢٣٤٫٥, 12,34,567), a minus,
    fractions (1/2, 2½, \\frac{1}{2}), and 万 and 億 (11万4200). Full stops and signs of currency and per cent
    are passed over. The contents of a last \\boxed{} go first. A digit within a name or unit (CO2, m2, cm^2)
    counts only where the text has no other number.

    One dot or comma before exactly three digits, and behind one to three, is the question. In languages that
    write 3.5 with a dot, 1,080 is 1080, and 1.080 is 1.08. In those that write 3,5 with a comma it can be
    either, in both: golds and models write the English way there, too. 1.000 and 1,000 are then 1000.
    """
    text = _tidied(text)
    begin = max((found.end() for found in _BOXED.finditer(text)), default=0)
    return (begin and _last(_to_brace(text[begin:]), language)) or _last(text, language)


def _last(text: str, language: str) -> frozenset[Fraction]:
    weak: frozenset[Fraction] = frozenset()
    strong = weak
    for values, part in _numbers(text, language):
        if part:
            weak = values
        else:
            strong = values
    return strong or weak


def _numbers(text: str, language: str) -> Iterator[tuple[frozenset[Fraction], bool]]:
    """The values of each number, and whether it is a part of something else."""
    found = list(_NUMBER.finditer(text))
    place = 0
    while place < len(found):
        first, number = found[place], found[place]
        place += 1
        values = _values(number[0], language)
        if text[number.end() : number.end() + 1] in _MYRIADS:
            values, place = _myriads(text, found, place, language)
        elif place < len(found) and text[number.end() : found[place].start()] == "/":
            values, number, place = _ratio(text, found, place, language)
        elif (
            place + 1 < len(found)
            and text[number.end() : found[place].start()] == " "
            and text[found[place].end() : found[place + 1].start()] == "/"
        ):
            # 2 1/2: a fraction below 1 behind a whole number.
            below, number, after = _ratio(text, found, place + 1, language)
            if all(0 < value < 1 for value in below) and number[0].isdigit() and first[0].isdigit():
                values, place = frozenset(a + b for a in values for b in below), after
        # Enough of it: a text may have very many numbers.
        before = text[max(0, first.start() - 8) : first.start()]
        if _is_negative(before):
            values = frozenset(-value for value in values)
        yield values, _PART.search(before) is not None


def _myriads(
    text: str, found: list[re.Match[str]], place: int, language: str
) -> tuple[frozenset[Fraction], int]:
    """The value of the number before `place` and those joined to it (1億2000万5), and the place behind."""
    total, number = frozenset([Fraction(0)]), found[place - 1]
    while True:
        size = _MYRIADS.get(text[number.end() : number.end() + 1])
        total = frozenset(a + b * (size or 1) for a in total for b in _values(number[0], language))
        if size is None or place == len(found) or text[number.end() + 1 : found[place].start()].strip(" "):
            return total, place
        number, place = found[place], place + 1


def _ratio(
    text: str, found: list[re.Match[str]], place: int, language: str
) -> tuple[frozenset[Fraction], re.Match[str], int]:
    """The fraction of the numbers before and at `place`, the last number read, and the place behind it; of a
    chain with several slashes (a date), or over 0, only its last number.
    """
    over, under, after = found[place - 1], found[place], place + 1
    chain = False
    while after < len(found) and text[under.end() : found[after].start()] == "/":
        under, after, chain = found[after], after + 1, True
    values = _values(under[0], language)
    if not chain and 0 not in values:
        values = frozenset(a / b for a in _values(over[0], language) for b in values)
    return values, under, after


def _values(number: str, language: str) -> frozenset[Fraction]:
    """The values that a number without its minus can have; none where it is too long."""
    if len(number) > _LONGEST:
        return frozenset()
    digits, _, exponent = number.lower().partition("e")
    return frozenset(Fraction(f"{one}e{exponent or 0}") for one in _written(digits, language.split("-")[0]))


def _written(number: str, language: str) -> list[str]:
    """A number with a dot before its decimals and no other separator, in each way it can be read."""
    signs = re.sub(r"\d", "", number)
    if not signs:
        return [number]
    groups = re.split(r"\D", number)
    mark = signs[-1]
    whole, decimals = "".join(groups[:-1]), groups[-1]
    if signs == "٫" or (signs in (".", ",") and not _is_grouped(groups)):
        return [f"{whole or 0}.{decimals}"]
    if signs in (".", ","):
        if language not in _DECIMAL_COMMA:
            return [f"{whole}.{decimals}"] if mark == "." else [whole + decimals]
        both = [whole + decimals, f"{whole}.{decimals}"]
        return both[:1] if decimals == "000" else both
    if len(set(signs)) == 1 and _is_grouped(groups):
        return [whole + decimals]
    if mark in ".,٫" and len(set(signs[:-1])) == 1 and mark not in signs[:-1] and _is_grouped(groups[:-1]):
        return [f"{whole}.{decimals}"]
    # No number, such as a date: what follows the last space, or else the last digits.
    return _written(number.rpartition(" ")[2], language) if " " in number else [decimals]


def _is_grouped(groups: list[str]) -> bool:
    """Whether digits are grouped as in 1,234,567 or, in India, as in 12,34,567."""
    first, *middle = groups[:-1]
    if first[:1] in ("", "0") or len(first) > 3 or len(groups[-1]) != 3:
        return False
    return all(len(one) == 3 for one in middle) or (len(first) < 3 and all(len(one) == 2 for one in middle))


def _is_negative(before: str) -> bool:
    """Whether what stands before a number ends in its minus: -5, -$5, $-5."""
    while before and unicodedata.category(before[-1]) == "Sc":
        before = before[:-1]
    return before.endswith("-") and not _JOINED.search(before[:-1])


def _to_brace(text: str) -> str:
    """A text up to the brace that closes it."""
    depth = 1
    for place, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if not depth:
            return text[:place]
    return text


def _tidied(text: str) -> str:
    """A text with ASCII digits, one character for signs that mean the same, and no invisible ones."""
    text = "".join(map(_tidied_character, text)).translate(_SIGNS)
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    return text


@lru_cache(maxsize=2**16)
def _tidied_character(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    # ½ is " 1/2": behind a whole number, it belongs to it.
    fraction = unicodedata.normalize("NFKC", character).split("⁄")
    return f" {fraction[0]}/{fraction[1]}" if len(fraction) == 2 and all(fraction) else character
