"""Conversations as texts by name (`system`, `user 1`, `assistant 1`, `user 2` …), which are translated
together and checked exchange by exchange.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crossin.core.formats import FIELDS
from crossin.corpus.conversations import JOINT, Turn

_SYSTEM, _USER, _ASSISTANT = "system", "user", "assistant"


def named_turns(system: str, users: Sequence[str], answers: Sequence[str]) -> dict[str, str]:
    """The texts of a conversation by name, in the order of its turns."""
    texts = {_SYSTEM: system} if system else {}
    for number, (asked, answered) in enumerate(zip(users, answers, strict=True), 1):
        texts |= {f"{_USER} {number}": asked, f"{_ASSISTANT} {number}": answered}
    return texts


def is_conversation(texts: Mapping[str, str]) -> bool:
    """Whether a row's texts are turns, and not the fields of one exchange."""
    return f"{_USER} 1" in texts


def is_turn(name: str) -> bool:
    """Whether a text of this name is a turn."""
    return name.partition(" ")[0] in (_SYSTEM, _USER, _ASSISTANT)


def turns_of(texts: Mapping[str, str]) -> list[Turn]:
    """The role and the text of each turn."""
    return [(name.partition(" ")[0], text) for name, text in texts.items()]


def asked_in(texts: Mapping[str, str]) -> dict[str, str]:
    """What is asked in a row, without the answers."""
    if not is_conversation(texts):
        return {"instruction": texts["instruction"]}
    return {name: text for name, text in texts.items() if not name.startswith(_ASSISTANT)}


def exchanges_of(texts: Mapping[str, str]) -> list[dict[str, str]]:
    """The fields of each exchange, '' where a text is missing; a system text goes with the first."""
    if not is_conversation(texts):
        return [{field: texts.get(field, "") for field in FIELDS}]
    numbers = dict.fromkeys(name.partition(" ")[2] for name in texts if name != _SYSTEM)
    found = []
    for number in numbers:
        before = texts.get(_SYSTEM, "") if number == "1" else ""
        asked = JOINT.join(filter(None, (before, texts.get(f"{_USER} {number}", ""))))
        found.append({"instruction": asked, "input": "", "output": texts.get(f"{_ASSISTANT} {number}", "")})
    return found


def joined_fields(texts: Mapping[str, str]) -> dict[str, str]:
    """A row's texts by field; of a conversation all that each side says."""
    exchanges = exchanges_of(texts)
    return {field: JOINT.join(filter(None, (one[field] for one in exchanges))) for field in FIELDS}


def name_in(texts: Mapping[str, str], exchange: int, field: str) -> str:
    """The name of a text that a check rejects: of a conversation, a turn of the exchange (from 0)."""
    if not is_conversation(texts) or not field:
        return field
    return f"{_ASSISTANT if field == 'output' else _USER} {exchange + 1}"
