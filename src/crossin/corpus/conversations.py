"""Conversations in a corpus: a row's instruction holds the system text and all that the user says, its output
all that the assistant says, and beside them stands where each turn is.

So what reads instructions and outputs (filters, duplicates, the alignment check) reads conversations too, and
the user's turns of one language go with the assistant's of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.formats import FIELDS

# The role (system, user, assistant) and the text of one turn.
Turn = tuple[str, str]
# Between the turns of one side.
JOINT = "\n\n"
_LETTERS = {"system": "s", "user": "u", "assistant": "a"}
_TURN = re.compile(r"([sua])(\d+)")


def joined(turns: Sequence[Turn]) -> tuple[str, str, str]:
    """Instruction, output and the places of a conversation's turns: each turn's role and its length in
    characters, `s12u30a44u10a5`.
    """
    places = "".join(f"{_LETTERS[role]}{len(text)}" for role, text in turns)
    asked = JOINT.join(text for role, text in turns if role != "assistant")
    return asked, JOINT.join(text for role, text in turns if role == "assistant"), places


def asked_of(instruction: str, places: str) -> tuple[str, list[str]]:
    """The system text ('' where there is none) and the user's turns in an instruction; without places, it is
    one turn.
    """
    if not places:
        return "", [instruction]
    found = list(_cut(instruction, places, "su"))
    return (found[0], found[1:]) if places[0] == "s" else ("", found)


def answers_of(output: str, places: str) -> list[str]:
    """The assistant's turns in an output."""
    return list(_cut(output, places, "a")) if places else [output]


def _cut(text: str, places: str, letters: str) -> Iterator[str]:
    start = 0
    for letter, length in _TURN.findall(places):
        if letter in letters:
            yield text[start : start + int(length)]
            start += int(length) + len(JOINT)


def by_exchange(
    columns: Mapping[str, pa.LargeStringArray], places: pa.LargeStringArray
) -> tuple[dict[str, pa.LargeStringArray], npt.NDArray[np.int64]]:
    """The instruction, input and output of each exchange, in the order of the rows, and the row (from 0) of
    each. A system text, and a row's input, go with the first.
    """
    asked: list[str] = []
    given: list[str] = []
    answered: list[str] = []
    fields = (columns[field].to_pylist() for field in FIELDS)
    for instruction, context, output, found in zip(*fields, places.to_pylist(), strict=True):
        system, turns = asked_of(instruction, found)
        turns[0] = JOINT.join(filter(None, (system, turns[0])))
        asked += turns
        given += [context, *("" for _ in turns[1:])]
        answered += answers_of(output, found)
    texts = (pa.array(values, pa.large_string()) for values in (asked, given, answered))
    return dict(zip(FIELDS, texts, strict=True)), np.repeat(np.arange(len(places)), exchanges(places))


def exchanges(places: pa.LargeStringArray) -> npt.NDArray[np.int64]:
    """The number of exchanges of each row (n,); a row without places is one."""
    counted = pc.count_substring(places, "u").to_numpy(zero_copy_only=False)
    return np.asarray(np.maximum(counted, 1), np.int64)


def roles(places: pa.LargeStringArray) -> pa.LargeStringArray:
    """The roles of each row's turns, a letter each; a row without places is `ua`."""
    letters = pc.replace_substring_regex(places, r"\d+", "")
    single = pa.scalar("ua", pa.large_string())
    found: pa.LargeStringArray = pc.if_else(pc.equal(letters, ""), single, letters)
    return found
