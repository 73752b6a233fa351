"""SeaEval's own rule for what a reply chooses, for equal scores; `crossin.items.replies` reads better.

Described, not copied, from what SeaEval does (arXiv 2309.04766). Its oddities are kept, since every one of
them decides some published number.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from crossin.logs.seaeval import LETTERS

_SENTENCE = re.compile(r"[^!?。.！？]+[!?。.！？]?")
_ENDS_SENTENCE = re.compile(r"[!?。.！？]")
_TO_ASCII = str.maketrans("，。“”‘’！？【】《》（）", ",.\"\"''!?[]<>()")
_AROUND = "(。$,|！!.？?)，；：…—·《》“”‘’{}[]（）、\\/\n\t\r\v\f "
# To tell a bare A from the article "a" a mark of ten characters takes its place: so it goes before shorter
# texts and before every other letter.
_BARE_A = " " + "\0" * 8 + " "


def align(reply: str, choices: Sequence[str]) -> tuple[int, ...]:
    """The positions of the choices that SeaEval takes a reply to mean: one, or those it draws from at random.

    `choices` carry their label: "(A) red". Every sentence votes for the longest mark in it: a label in
    brackets or a whole choice. If no sentence has one, every sentence votes by a bare letter or a choice's
    text. In a tie SeaEval draws from the two that come first; where nothing votes, from all choices.
    """
    sentences = _SENTENCE.findall(reply.translate(_TO_ASCII))
    labelled, bare = _labelled_marks(choices), _bare_marks(choices)
    votes = [_longest(labelled, sentence, sentence.lower()) for sentence in sentences]
    if not any(vote is not None for vote in votes):
        votes = [_longest(bare, _between_spaces(sentence)) for sentence in sentences]
    ranking = Counter(vote for vote in votes if vote is not None).most_common(2)
    tied = tuple(position for position, count in ranking if count == ranking[0][1])
    return tied or tuple(range(len(choices)))


def _longest(marks: dict[str, int], *texts: str) -> int | None:
    """The position of the longest mark in a text; of those equally long the first in the first text."""
    found = [(len(mark), position) for text in texts for mark, position in marks.items() if mark in text]
    return max(found, key=lambda length_and_position: length_and_position[0])[1] if found else None


def _labelled_marks(choices: Sequence[str]) -> dict[str, int]:
    return {
        mark: position
        for position, (letter, choice) in enumerate(zip(LETTERS, choices, strict=False))
        for mark in (choice, choice.lower(), choice.upper(), f"({letter})", f"({letter.lower()})")
    }


def _bare_marks(choices: Sequence[str]) -> dict[str, int]:
    """Letters between spaces, and the texts (of their first sentence); of equal texts the last choice has it.
    A text that holds a full stop can be in no sentence.
    """
    marks: dict[str, int] = {}
    for position, (letter, choice) in enumerate(zip(LETTERS, choices, strict=False)):
        marks[_BARE_A if letter == "A" else f" {letter.lower()} "] = position
        first = _SENTENCE.search(choice[4:].lower())
        if first and len(first[0]) > 1 and not _ENDS_SENTENCE.search(first[0]):
            marks[first[0]] = position
    return marks


def _between_spaces(sentence: str) -> str:
    return f" {sentence.strip(_AROUND)} ".replace(" A ", _BARE_A).lower()
