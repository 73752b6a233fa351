"""The shapes that instruction data comes in, turned into one: id, instruction, input and output.

Known are Alpaca's columns (`instruction`, `input`, `output`), chats (`messages` with role and content,
`conversations` with from and value) and `prompt` with `completion`, as texts or as lists of messages.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from crossin.core.formats import FIELDS
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.columns import checked, extra_column, id_column, text_column
from crossin.corpus.spec import Source

_CHATS = ("messages", "conversations")
_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
}
MORE_THAN_ONE = "more than one exchange"
INCOMPLETE = "no complete exchange"
OTHER_TURN = "a turn of neither user nor assistant"
NO_TEXT = "a turn without text"
_CHAT_FIX = 'write the turns as [{"role": "user", "content": …}, {"role": "assistant", "content": …}]'


@dataclass(frozen=True)
class Rows:
    """Rows in one shape, as many as the batch that they come from had records.

    `ids` may hold nulls; `texts` are by field; `rejected` says why a row cannot be used (its texts are then
    empty); `extras` are further columns by name.
    """

    ids: pa.LargeStringArray
    texts: dict[str, pa.LargeStringArray]
    rejected: dict[int, str]
    extras: dict[str, pa.Array]

    def slice(self, start: int, length: int) -> Rows:
        """`length` rows from `start` on, without a copy."""
        return Rows(
            self.ids.slice(start, length),
            {field: texts.slice(start, length) for field, texts in self.texts.items()},
            {
                index - start: reason
                for index, reason in self.rejected.items()
                if start <= index < start + length
            },
            {name: values.slice(start, length) for name, values in self.extras.items()},
        )


def columns_read(source: Source, extras: Set[str]) -> set[str]:
    """The names of all columns that `to_rows` and `language_column` may look at."""
    return {*_names(source).values(), *_CHATS, "prompt", "completion", *extras}


def language_column(batch: Batch, source: Source, longest: int) -> pa.LargeStringArray:
    """The language that each record names, in the record's own spelling.

    Raises CrossinError where a record names none.
    """
    name = _names(source)["language"]
    if name not in batch.names:
        raise batch.no_column(name, batch.names)
    return text_column(batch, name, longest)


def to_rows(batch: Batch, source: Source, longest: int, extras: Set[str] = frozenset()) -> Rows:
    """The records as rows; `longest` is the most characters a field may have, `extras` names more columns to
    carry where the batch has them.

    Raises CrossinError, with file, row and field, for what has no known shape or the wrong type. A chat that
    is not one exchange is rejected, not an error.
    """
    rejected: dict[int, str] = {}
    names = _names(source)
    chat = next((name for name in _CHATS if name in batch.names), None)
    told = "instruction" in source.columns or "output" in source.columns
    if told or names["instruction"] in batch.names:
        texts = _alpaca(batch, names, longest)
    elif chat is not None:
        turns = _listed(batch.column(chat, due=True))
        texts = _exchanges(batch, chat, turns, longest, rejected)
    elif {"prompt", "completion"} <= set(batch.names):
        texts = _prompt_completion(batch, longest, rejected)
    else:
        raise batch.no_column(names["instruction"], batch.names)
    return Rows(
        id_column(batch, names["id"], longest),
        texts,
        rejected,
        {name: extra_column(batch, name) for name in sorted(extras) if name in batch.names},
    )


def _alpaca(batch: Batch, names: dict[str, str], longest: int) -> dict[str, pa.LargeStringArray]:
    return {field: text_column(batch, names[field], longest, due=field != "input") for field in FIELDS}


def _names(source: Source) -> dict[str, str]:
    """What the source calls the id, the language and each field."""
    return {field: field for field in ("id", "language", *FIELDS)} | dict(source.columns)


def _prompt_completion(
    batch: Batch, longest: int, rejected: dict[int, str]
) -> dict[str, pa.LargeStringArray]:
    prompts, completions = batch.column("prompt", due=True), batch.column("completion", due=True)
    listed = isinstance(prompts, list)
    if not (any(map(_is_list, prompts)) if listed else _is_list_type(prompts)):
        return {
            "instruction": checked(batch, "prompt", prompts, longest),
            "input": pa.array([""] * len(batch), pa.large_string()),
            "output": checked(batch, "completion", completions, longest),
        }
    turns = []
    for index, (before, after) in enumerate(zip(_listed(prompts), _listed(completions), strict=True)):
        for name, part in (("prompt", before), ("completion", after)):
            if not _is_list(part):
                raise batch.error(
                    index, "is no list of messages, as others in this column are", field=name, hint=_CHAT_FIX
                )
        turns.append([*before, *after])
    return _exchanges(batch, "prompt", turns, longest, rejected)


def _exchanges(
    batch: Batch, name: str, chats: Sequence[Any], longest: int, rejected: dict[int, str]
) -> dict[str, pa.LargeStringArray]:
    instructions, outputs = [], []
    for index, turns in enumerate(chats):
        found = _exchange(batch, index, name, turns)
        if isinstance(found, str):
            rejected[index] = found
            found = ("", "")
        instructions.append(found[0])
        outputs.append(found[1])
    return {
        "instruction": checked(batch, name, instructions, longest),
        "input": pa.array([""] * len(batch), pa.large_string()),
        "output": checked(batch, name, outputs, longest),
    }


def _exchange(batch: Batch, index: int, name: str, turns: Any) -> tuple[str, str] | str:
    """Instruction and output of one chat, or why it has not exactly one of each.

    A system text, if there is one, goes before the user's, with an empty line between.
    """
    if turns is None:
        return INCOMPLETE
    if not _is_list(turns):
        raise batch.error(index, "is no list of messages", field=name, hint=_CHAT_FIX)
    said: list[tuple[str, str]] = []
    for turn in turns:
        if not isinstance(turn, dict):
            raise batch.error(index, "holds a message that is no object", field=name, hint=_CHAT_FIX)
        role = turn.get("role", turn.get("from"))
        text = turn.get("content", turn.get("value"))
        if not isinstance(role, str):
            raise batch.error(index, "holds a message without a role", field=name, hint=_CHAT_FIX)
        if text is not None and not isinstance(text, str):
            raise batch.error(index, "holds a message whose content is no text", field=name, hint=_CHAT_FIX)
        if role.lower() not in _ROLES:
            return OTHER_TURN
        if text is None:
            return NO_TEXT
        said.append((_ROLES[role.lower()], text))
    system = said.pop(0)[1] if said and said[0][0] == "system" else ""
    if len(said) > 2:
        return MORE_THAN_ONE
    if [role for role, _ in said] != ["user", "assistant"]:
        return INCOMPLETE
    return (f"{system}\n\n{said[0][1]}" if system else said[0][1]), said[1][1]


def _listed(values: list[Any] | pa.Array) -> list[Any]:
    listed: list[Any] = values if isinstance(values, list) else values.to_pylist()
    return listed


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_list_type(values: pa.Array) -> bool:
    return bool(pa.types.is_list(values.type) or pa.types.is_large_list(values.type))
