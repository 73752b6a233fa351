"""Rows in which a text is corrected: the input has a mistake that the output has not.

A translation is right from the start, so that such a row teaches nothing, or that what is right is wrong.
"""

from __future__ import annotations

import re
from difflib import SequenceMatcher

from crossin.translation.instruction_rules import THIS, any_of

_TEXT = r"(?:sentence|phrase|word|text|paragraph|passage|statement|line)s?"
# An instruction speaks of mistakes, or says to edit and not to what end.
_ASKS = any_of(
    (
        r"\b(?:errors?|mistakes?|fluency|proper English|spell(?: check|ing)?)\b",
        r"\bnaturally\b|\bmore natural\b|\bsounds? natural\b|\bparallel(?:ism)?\b",
        rf"(?<!ly )\b(?:correct|fix|clean up) {THIS}{_TEXT}\b",
        rf"\b{_TEXT}(?: is| reads?| are)? correct(?:ly)?\b",
        rf"\bcorrectly\b.*\b{_TEXT}\b|\bto form a correct\b",
        rf"\b(?:incorrect|wrong) (?:\w+ )?(?:{_TEXT}|usage)\b",
        rf"^\W*(?:please |can you )?(?:edit|revise|improve|fix|correct|re-?write) {THIS}(?:my )?{_TEXT}"
        r"(?: correctly)?\s*(?:$|[:.\n]|,? ?[\"“‘])",
    )
)
# Edits that change what a text says or how it sounds; a translation keeps both.
_OTHER_EDIT = any_of(
    (
        r"\b(?:questions?|interrogative|negative|affirmative|opposite|false|facts?|factual|code|include|add)\b",
        r"\b(?:first|second|third|1st|2nd|3rd)[- ]person\b|\bpoint of view\b",
        r"\b(?:concise|shorter|formal|friendl\w+|tone)\b",
    )
)
# Words that hold a sentence together; a correction may put one for another.
_SMALL = frozenset(
    """
    a an the and or but so nor of to in on at by for from with into as than that which who whom whose this
    these those there their they're its it's it he him his she her i me my we us our you your they them is are
    was were be been being am has have had do does did done will would shall should can could may might must
    more most much many some any every each very too also if then when while because since
    """.split()  # noqa: SIM905
)
_WORD = re.compile(r"[\w'’]+")
_EDGES = re.compile(r"^[\s\"“”.]+|[\s\"“”.]+$|\s+")
_LIKE, _LONGEST = 0.6, 600


def is_correction(head: str, instruction: str, input: str, output: str) -> bool:
    """Whether a row corrects its language. head: what the instruction says to do."""
    if not _ASKS.search(head) or _OTHER_EDIT.search(head):
        return False
    return _is_corrected(input if input.strip() else _quoted(instruction), output)


def _quoted(instruction: str) -> str:
    """The text that an instruction gives, in quotation marks or after a colon."""
    found = re.search(r"[\"“](.+)[\"”]|:\s*(.+)$", instruction, re.DOTALL)
    return (found[1] or found[2]) if found else ""


def _is_corrected(before: str, after: str) -> bool:
    """Whether words came back written, inflected or joined otherwise, but with no other content.

    A comma that was added is a correction too; a full stop at the end is not.
    """
    if not (before.strip() and after.strip()) or max(len(before), len(after)) > _LONGEST:
        return False
    old, new = (_WORD.findall(text.lower()) for text in (before, after))
    for kind, start, end, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        one, other = (
            "".join(word for word in words if word not in _SMALL)
            for words in (old[start:end], new[first:last])
        )
        if kind != "equal" and one != other and SequenceMatcher(None, one, other).ratio() < _LIKE:
            return False
    return _EDGES.sub("", before) != _EDGES.sub("", after)
