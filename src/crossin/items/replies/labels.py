"""Where a text has labels of options: (A) or 【乙】 or ③. All texts here are `visible`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from crossin.items.replies.series import Labels
from crossin.items.replies.texts import (
    AND_BEFORE,
    BESIDE_DIGITS,
    UNSPACED,
    ZERO_WIDTH_SPACE,
    any_of,
    data,
    is_mark,
    longest_of,
    script,
)

_OPEN, _CLOSE = "([{<【〔「『《〈“\"«‹„༼'", ")]}>】〕」』》〉”\"»›“༽'"
_AFTER = ".):]、。,;-–—"
# After a letter that may be a word, these alone, and no letter behind: not "I.e.", "I, for one".
_AFTER_WORD = re.compile(r"[.)\]–—-](?!\w)")
# A dash or an apostrophe that joins a letter to a word: "C-dur", "C'est"; "C'dir" is Turkish for "is C".
_JOINS = re.compile(r"(?!'[dt][iıuü]r\b)(?:['\"+#&*/-]\w|[–—]\d)")
# Another initial: "H. P. Lovecraft".
_INITIAL = re.compile(r"\.\s?[^\W\d_]\.")
# Scripts whose letters are joined to words so, and those whose letters are typed for each other's.
_HYPHENED = {"LATIN", "CYRILLIC", "GREEK", "HEBREW"}
_ALIKE = {"LATIN", "CYRILLIC", "GREEK"}
# Directly after a digit or a Korean letter: "2번입니다", "3です", "나번이다".
_COUNTER = re.compile(r"\s?(?:번|番|号|號)?\s?(?:입니다|이다|이에요|예요|です)?(?!\w)|\s?(?:번|番|号|號)")
_AND_OR = any_of("and_or")
# After a capital that may be a word. "A un B" is Latvian for "A and B", "A un amigo" Spanish: "To a friend".
_IS = re.compile(rf" (?:is|was|must|would|es|est|là|adalah|{_AND_OR}(?= \W?\w\b)) ")
# A word, or a number within a sentence: "В 1950 году".
_FOLLOWED = re.compile(r" (?:[^\W\d_]|\d[\d.,:]*.*[^\W\d_])")
# What announces a label, and how much of a line may hold it.
_REACH = 40
_ANNOUNCED = re.compile(
    rf"(?::|{any_of('answer', 'option', 'correct', 'is')}[^\s\d.,:;!?()]{{0,4}}"
    rf"|(?<![^\W\d_])(?:[IVXivx]+|[^\W\d_])\W{{0,2}}(?:[,/&+]|{_AND_OR}))[\s{re.escape(_OPEN)}–—-]*$",
    re.IGNORECASE,
)
# With the character before the word.
_DIRECTLY_REACH = longest_of("answer", "option", "is", "and_or") + 1
_DIRECTLY = re.compile(rf"{any_of('answer', 'option', 'is', 'and_or')}$", re.IGNORECASE)
# "合为一", become one, names no option.
_DIRECTLY_COUNTED = re.compile(rf"(?:{any_of('answer', 'option')}|是)$")
# "And" after another label.
_AND_PREFIX = re.compile(rf"(?<![^\W\d_])[^\W\d_]\W? [{AND_BEFORE}]$")
# What may follow a label without a space: "是", or "and" with another label.
_COPULA = rf"{any_of('is', 'correct')}|번|입니다|이다"
_SAID = re.compile(rf"{_COPULA}")
_PAIR = re.compile(rf"{_AND_OR}\W{{0,2}}[^\W\d_](?:\W|$|{_COPULA})")
_IS_CORRECT = re.compile(rf"\s+{any_of('is')}\s+{any_of('correct')}")
# What may follow one that is a word, too; Korean particles are not apart.
_STANDS = re.compile(
    rf"\s*(?:$|[.,;!?)\]、。…”»]|{_AND_OR}|(?![은는이가](?![가-힣]))(?:{_COPULA}))", re.IGNORECASE
)


class LabelKind(Enum):
    """MARKED as a label, "(A)", or "A." and "A)" where a line begins; else a LETTER or DIGIT by itself."""

    MARKED = 1
    LETTER = 2
    DIGIT = 3


@dataclass(frozen=True)
class Label:
    """A label in a text, from `start` to `end` with its brackets, of the option at `position`."""

    start: int
    end: int
    position: int
    kind: LabelKind


def labels_in(line: str, labels: Labels) -> Iterator[Label]:
    """The labels in a line, in their order.

    A letter within a word is not a label, nor one that may be a word or a sign itself: a capital that begins
    a sentence, a lower-case letter within one. Numerals that were not shown are never MARKED: they also count
    steps and sources. Labels that are words, too, count where they are announced and nothing follows.
    """
    line = line.replace(ZERO_WIDTH_SPACE, " ")
    for match in labels.pattern.finditer(line):
        start, end, label = match.start(), match.end(), match[0]
        if _within_word(line, start, end):
            continue
        counted = label.isdigit() or script(label[0]) == "HANGUL"
        counter = _COUNTER.match(line, end) if counted else None
        end = counter.end() if counter and counter[0].strip() else end
        before, rest = line[:start], line[end:]
        strict = label in labels.strict
        numeral = label in labels.numerals and label not in labels.shown
        word = strict and not numeral
        if _joined(before, label, label) and (word or not _directly(before, label, numeral)):
            continue
        if not counter and _joined(label, rest, label) and not _said(label, rest, strict):
            continue
        # A Korean particle in both of its forms.
        if label == "가" and before.endswith("이("):
            continue
        position = labels.positions[label]
        if before and rest and before[-1] in _OPEN and rest[0] in _CLOSE:
            yield Label(start - 1, end + 1, position, LabelKind.DIGIT if numeral else LabelKind.MARKED)
        elif _begins(label, before, rest, strict):
            after = len(rest[:1].strip())
            yield Label(start, end + after, position, LabelKind.DIGIT if numeral else LabelKind.MARKED)
        elif _named(before, rest) if strict else not _word(label, before, rest):
            yield Label(start, end, position, LabelKind.DIGIT if numeral else LabelKind.LETTER)


def _within_word(line: str, start: int, end: int) -> bool:
    """Whether a label's letters have others of their script beside them. Most have, so this comes first; what
    is joined in other ways is left to `_joined`.
    """
    one, other = script(line[start]), script(line[end - 1])
    if not one or not other or {one, other} & BESIDE_DIGITS:
        return False
    before, after = line[start - 1 : start], line[end : end + 1]
    begun = before != "" and before not in AND_BEFORE and script(before) == one
    return begun or (after != "" and script(after) == other)


def _joined(left: str, right: str, label: str) -> bool:
    """Whether the end of one text and the beginning of the next, a label or beside one, belong to one word or
    number. Hiragana is joined to other Japanese letters, as in 赤い.
    """
    # Between syllables of a Tibetan word.
    left, right = left.rstrip("་"), right.lstrip("་")
    if not left or not right:
        return False
    if is_mark(right[0]):
        return True
    last = next((x for x in reversed(left) if not is_mark(x)), "")
    one, other = script(last), script(right[0])
    if last.isdigit() or right[0].isdigit():
        return last.isalnum() and right[0].isalnum() and not {one, other} & BESIDE_DIGITS
    if script(label[0]) == "HIRAGANA":
        return {one, other} <= UNSPACED
    # "Dデイ", "Cクラス".
    alike = {one, other} <= _ALIKE or (one, other) == ("LATIN", "KATAKANA")
    return one != "" and (one == other or alike)


def _directly(before: str, label: str, numeral: bool) -> bool:
    """Whether a word for the answer or an option, or "and", precedes a label without a space, in the way of
    its script: "选项甲".
    """
    word = _DIRECTLY_COUNTED if numeral else _DIRECTLY
    unspaced = script(label[0]) in UNSPACED and word.search(before[-_DIRECTLY_REACH:])
    return bool(unspaced or _AND_PREFIX.search(before[-_DIRECTLY_REACH:]))


def _said(label: str, rest: str, strict: bool) -> bool:
    """Whether "is", "correct" or "and" follows a label without a space, as its script writes: 甲是对的."""
    if script(label[0]) not in BESIDE_DIGITS:
        return False
    return _PAIR.match(rest) is not None or (not strict and _SAID.match(rest) is not None)


def _named(before: str, rest: str) -> bool:
    """Whether only a label can stand here: after a word for the answer or an option, "is", a colon, or
    another label and "and", and where nothing follows but such words; or before "is correct".
    """
    announced = _ANNOUNCED.search(before[-_REACH:]) and _STANDS.match(rest)
    return bool(announced or _IS_CORRECT.match(rest))


def _begins(label: str, before: str, rest: str, strict: bool) -> bool:
    """Whether a label begins or ends its line in the way of a label: "B) red", "Answer: b."."""
    if not before.strip(_OPEN + " \t"):
        if not rest.strip(_AFTER + " "):
            return True
        if strict:
            return _AFTER_WORD.match(rest) is not None
        hyphened = script(label[0]) in _HYPHENED and _JOINS.match(rest)
        return rest[0] in _AFTER and not hyphened and not _INITIAL.match(rest)
    return before.rstrip().endswith(":") and not rest.strip(_AFTER + " ")


def _word(label: str, before: str, rest: str) -> bool:
    """Whether an unmarked label may be a word or a sign: "A dog", "C'est", "B-cell", "b = 3"."""
    if _JOINS.match(rest) or _INITIAL.match(rest):
        return True
    capitals = data("labels.yaml")["capitals"]
    if label.islower() and script(label[0]) != "GEORGIAN":
        return label.upper() in capitals or not re.match(r"\s*(?:[.,;)]|$)", rest)
    begins_sentence = not before.rstrip()[-1:].isalpha()
    followed = _FOLLOWED.match(rest) is not None and not _IS.match(rest)
    return label in capitals and begins_sentence and followed
