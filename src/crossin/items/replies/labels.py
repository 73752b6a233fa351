"""The labels of options, (A) or 【乙】 or ③, and where a text has one.

All texts here are in Unicode's NFKC form, in which （Ａ）, Ⓐ, ① and ⑴ are (A), A, 1 and (1).
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from crossin.items.replies.texts import any_of, is_mark, script

# In the order of the options. A letter of several alphabets counts as one of the first of them.
_ALPHABETS = (
    string.ascii_uppercase,
    "ΑΒΓΔΕΖΗΘ",
    "أبجدهوزح",
    "ابجدهوزح",
    "أبتث",
    "אבגדהוזח",
    "กขคงจฉชซ",
    "कखगघङ",
    "अबसद",
    "কখগঘঙ",
    "அஆஇஈஉ",
    "აბგდევზთ",
    "ԱԲԳԴԵԶԷԸ",
    "가나다라마바사아",
    "ㄱㄴㄷㄹㅁㅂㅅㅇ",
    "アイウエオカキク",
    "甲乙丙丁戊己庚辛",
)
_CYRILLIC = "АБВГДЕЖЗ"
# Cyrillic letters that look like the Latin labels of a prompt.
_LOOKALIKES = {"А": 0, "В": 1, "С": 2, "Е": 4, "Н": 7}
_DIGITS = ("123456789", "١٢٣٤٥٦٧٨٩", "۱۲۳۴۵۶۷۸۹", "१२३४५६७८९", "๑๒๓๔๕๖๗๘๙")

_OPEN, _CLOSE = '([{<【〔「『《〈“"', ')]}>】〕」』》〉”"'
_AFTER = ".):]、。,;-–—"
# Scripts that put no space between a word and a digit.
_BESIDE_DIGITS = {"CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI"}
# Han characters directly before a label: "the answer is", "choose".
_BEFORE_HAN = "是为為选選"
# Directly after a digit: "2번입니다", "3です".
_COUNTER = re.compile(r"\s?(?:번|番|号|號)?\s?(?:입니다|です)?(?!\w)|\s?(?:번|番|号|號)")
# Capital letters that are words too, where a word follows: "A dog", "E poi", "В Москве"; but "A is right".
_WORDS = set("AEIOUYΑΗΟАВИОСУЯ")
_IS = re.compile(rf" (?:is|was|must|would|es|est|là|adalah|{any_of('and_or')}) ")


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


@dataclass(frozen=True)
class Labels:
    """The positions of an item's options by label; `shown` are the labels that the prompt showed."""

    positions: dict[str, int]
    shown: frozenset[str]


def labels_for(texts: Sequence[str], shown: Sequence[str] | None) -> Labels:
    """The labels that may stand for options with these texts: those `shown` in the prompt, and the letters
    and digits of other scripts by their place in the alphabet.

    The Cyrillic В is the third letter but looks like the second Latin one: it counts as the former where the
    options are in Cyrillic, else as the latter. Digits that were not shown are not labels where an option
    holds a digit.
    """
    cyrillic = any(script(character) == "CYRILLIC" for text in texts for character in text)
    numbers = any(character.isdigit() for text in texts for character in text)
    letters = _in_order(_CYRILLIC)
    orders = [_in_order(shown or ()), *map(_in_order, _ALPHABETS)]
    orders += [letters, _LOOKALIKES] if cyrillic else [_LOOKALIKES, letters]
    orders += [] if numbers else map(_in_order, _DIGITS)
    positions: dict[str, int] = {}
    for order in orders:
        for label, position in order.items():
            if position < len(texts):
                positions.setdefault(label, position)
    return Labels(positions, frozenset(_in_order(shown or ())))


def labels_in(line: str, labels: Labels) -> Iterator[Label]:
    """The labels in a line, in their order.

    A letter within a word is not a label, nor one that may be a word or a sign itself: a capital that begins
    a sentence, a lower-case letter within one. Digits that were not shown are never MARKED: they also count
    steps and sources.
    """
    known = labels.positions
    pattern = "|".join(re.escape(label) for label in sorted(known, key=len, reverse=True))
    for match in re.finditer(pattern, line, re.IGNORECASE):
        start, end, label = match.start(), match.end(), match[0]
        counter = _COUNTER.match(line, end) if label.isdigit() else None
        end = counter.end() if counter else end
        before, after = line[max(0, start - 1) : start], line[end : end + 1]
        position = known.get(label, known.get(label.upper()))
        if position is None or _joined(before, label[0]) or (not counter and _joined(label[-1], after)):
            continue
        digit = label.isdigit() and label not in labels.shown
        marked = LabelKind.DIGIT if digit else LabelKind.MARKED
        if before and after and before in _OPEN and after in _CLOSE:
            yield Label(start - 1, end + 1, position, marked)
        elif _begins(line[:start], line[end:]):
            yield Label(start, end + len(after.strip()), position, marked)
        elif not _word(label, line[:start], line[end:]):
            yield Label(start, end, position, LabelKind.DIGIT if digit else LabelKind.LETTER)


def _in_order(labels: Sequence[str]) -> dict[str, int]:
    return {unicodedata.normalize("NFKC", label): position for position, label in enumerate(labels)}


def _joined(left: str, right: str) -> bool:
    """Whether a label's character and its neighbour belong to one word or number."""
    if not left or not right or left in _BEFORE_HAN:
        return False
    one, other = script(left), script(right)
    if left.isdigit() or right.isdigit():
        return left.isalnum() and right.isalnum() and not {one, other} & _BESIDE_DIGITS
    return is_mark(right) or (one != "" and one == other)


def _begins(before: str, rest: str) -> bool:
    """Whether a label begins or ends its line in the way of a label: "B) red", "Answer: b."."""
    opens = not before.strip(_OPEN + " \t")
    return (opens and (not rest or rest[0] in _AFTER)) or (
        before.rstrip().endswith(":") and not rest.strip(_AFTER + " ")
    )


def _word(label: str, before: str, rest: str) -> bool:
    """Whether an unmarked label may be a word or a sign: "A dog", "C'est", "B-cell", "b = 3"; "C'dir" is
    Turkish for "is C".
    """
    if re.match(r"(?!'[dt][iıuü]r\b)['+#&*/-]\w", rest):
        return True
    if label.islower():
        return label.upper() in _WORDS or not re.match(r"\s*(?:[.,;)]|$)", rest)
    begins_sentence = not before.rstrip()[-1:].isalpha()
    followed = rest[:1] == " " and rest[1:2].isalpha() and not _IS.match(rest)
    return label in _WORDS and begins_sentence and followed
