"""A batch of records becomes rows: checked Arrow columns of id, instruction, input, output and extras.

Known shapes are Alpaca's columns (`instruction`, `input`, `output`), chats (`messages` with role and content,
`conversations` with from and value; a column `system` beside them) and `prompt` with `completion`, as texts
or as lists of messages.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.formats import FIELDS
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.text_columns import Status, Values, is_text, mark, texts_of, wrong_type
from crossin.corpus.reading.text_records import kind_of
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import Source

_CHATS = ("messages", "conversations")
# A column beside a chat, as ShareGPT's files have it.
_SYSTEM = "system"
# A column beside the language's, as `zho` with `Hans` or `Hant`: ISO 15924.
_LANGUAGE, _SCRIPT = "language", "script"
_ISO_SCRIPT = re.compile("[A-Z][a-z]{3}")
# Kinds of parts that a message's content may have, if it is a list.
_TEXT_PARTS = {"text", "input_text", "output_text"}
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
_ID_HINT = "write ids as text or as whole numbers"


@dataclass(frozen=True)
class Rows:
    """Rows in one shape, as many as the batch that they come from has records.

    ids: null where a record has none. texts: by field. status: uint8 (n,), 0 for a usable row, else the
    number of its `CorpusReason`. extras: further columns by name.
    """

    ids: pa.LargeStringArray
    texts: dict[str, pa.LargeStringArray]
    status: Status
    extras: dict[str, pa.Array]

    def slice(self, start: int, length: int) -> Rows:
        """`length` rows from `start` on, without a copy."""
        return Rows(
            self.ids.slice(start, length),
            {field: texts.slice(start, length) for field, texts in self.texts.items()},
            self.status[start : start + length],
            {name: values.slice(start, length) for name, values in self.extras.items()},
        )


def columns_read(source: Source, extras: Set[str]) -> set[str]:
    """The names of all columns that `to_rows` and `language_column` may read."""
    names = {part for name in _names(source).values() for part in re.findall(r"\{(\w+)\}", name) or [name]}
    return {*names, *_CHATS, _SYSTEM, _SCRIPT, "prompt", "completion", *extras}


def language_column(batch: Batch, source: Source, longest: int) -> tuple[str, pa.LargeStringArray]:
    """The column, or columns, of languages, and the language that each record names, in the record's own
    spelling; empty where it names none.

    Several columns are one language where `columns` says so (`{language}_{script}`), and where a column
    `script` beside it has codes of scripts alone. Raises CrossinError where there is no such column.
    """
    name = _names(source)["language"]
    if name == _LANGUAGE and _SCRIPT in batch.names and _are_scripts(batch.column(_SCRIPT)):
        name = f"{{{_LANGUAGE}}}_{{{_SCRIPT}}}"
    parts = re.split(r"\{(\w+)\}", name) if "{" in name else ["", name, ""]
    columns = []
    for column in parts[1::2]:
        if column not in batch.names:
            raise batch.no_column(column, batch.names)
        # A name that is no text is empty, and so no language.
        unread = np.zeros(len(batch), np.uint8)
        columns.append(texts_of(batch, column, batch.column(column), longest, unread))
    if len(columns) == 1 and parts[0] == parts[-1] == "":
        return name, columns[0]
    pieces = [pa.scalar(part, pa.large_string()) for part in parts[::2]]
    mixed = [one for pair in zip(pieces, columns, strict=False) for one in pair] + [pieces[-1]]
    joined = pc.binary_join_element_wise(*mixed, pa.scalar("", pa.large_string()))
    return name, pc.utf8_trim(joined, characters="_- ")


def _are_scripts(values: Values) -> bool:
    found = {value for value in _listed(values) if value}
    return bool(found) and all(isinstance(value, str) and _ISO_SCRIPT.fullmatch(value) for value in found)


def to_rows(batch: Batch, source: Source, longest: int, extras: Set[str] = frozenset()) -> Rows:
    """The records as rows.

    longest: the most characters that a field may have. extras: more columns to keep where the batch has them.
    A chat that is not one exchange cannot be used, nor a row without an instruction, nor one with a value
    that is no text, a text that is too long or not valid Unicode, or a NUL: its `status` says why. Raises
    CrossinError, with file, row and field, for an unknown shape, and a column of a table of another type.
    """
    status = np.zeros(len(batch), np.uint8)
    names = _names(source)
    chat = next((name for name in _CHATS if name in batch.names), None)
    renamed = "instruction" in source.columns or "output" in source.columns
    if renamed or names["instruction"] in batch.names:
        texts = {
            field: texts_of(
                batch, names[field], batch.column(names[field], required=field != "input"), longest, status
            )
            for field in FIELDS
        }
    elif chat is not None:
        texts = _exchanges(batch, chat, _listed(batch.column(chat, required=True)), longest, status)
        if _SYSTEM in batch.names:
            texts["instruction"] = _below_system(batch, chat, texts["instruction"], longest, status)
    elif {"prompt", "completion"} <= set(batch.names):
        texts = _prompt_completion(batch, longest, status)
    else:
        raise batch.no_column(names["instruction"], batch.names)
    instructions = texts["instruction"]
    blank = pc.or_(pc.equal(pc.binary_length(instructions), 0), pc.utf8_is_space(instructions))
    status[blank.to_numpy(zero_copy_only=False) & (status == 0)] = CorpusReason.EMPTY_INSTRUCTION.number
    ids = _ids(batch, names["id"], longest, status)
    kept = {name: _extra(batch, name, status) for name in sorted(extras) if name in batch.names}
    return Rows(ids, texts, status, kept)


def _names(source: Source) -> dict[str, str]:
    """The source's names of the id, the language and each field."""
    return {field: field for field in ("id", "language", *FIELDS)} | dict(source.columns)


def _prompt_completion(batch: Batch, longest: int, status: Status) -> dict[str, pa.LargeStringArray]:
    prompts, completions = (batch.column(name, required=True) for name in ("prompt", "completion"))
    if isinstance(prompts, list):
        chats = any(isinstance(prompt, list) for prompt in prompts)
    else:
        chats = pa.types.is_list(prompts.type) or pa.types.is_large_list(prompts.type)
    if not chats:
        return {
            "instruction": texts_of(batch, "prompt", prompts, longest, status),
            "input": _empty_texts(len(batch)),
            "output": texts_of(batch, "completion", completions, longest, status),
        }
    both = zip(_listed(prompts), _listed(completions), strict=True)
    turns = [
        [*before, *after] if isinstance(before, list) and isinstance(after, list) else ""
        for before, after in both
    ]
    return _exchanges(batch, "prompt", turns, longest, status)


def _exchanges(
    batch: Batch, name: str, chats: Sequence[Any], longest: int, status: Status
) -> dict[str, pa.LargeStringArray]:
    instructions, outputs = [], []
    for index, turns in enumerate(chats):
        found = _exchange(turns)
        if isinstance(found, CorpusReason):
            mark(status, [index], found)
            found = ("", "")
        instructions.append(found[0])
        outputs.append(found[1])
    return {
        "instruction": texts_of(batch, name, instructions, longest, status),
        "input": _empty_texts(len(batch)),
        "output": texts_of(batch, name, outputs, longest, status),
    }


def _exchange(turns: Any) -> tuple[str, str] | CorpusReason:
    """Instruction and output of one chat, or why it does not have exactly one of each.

    A system text, if there is one, goes before the user's, with an empty line between.
    """
    if turns is None:
        return CorpusReason.INCOMPLETE_EXCHANGE
    if not isinstance(turns, list):
        return CorpusReason.NO_CHAT
    found: list[tuple[str, str]] = []
    for turn in turns:
        role = turn.get("role", turn.get("from")) if isinstance(turn, dict) else None
        if not isinstance(role, str):
            return CorpusReason.NO_CHAT
        if role.lower() not in _ROLES:
            return CorpusReason.OTHER_ROLE
        text = text_of_parts(turn.get("content", turn.get("value")))
        if isinstance(text, CorpusReason):
            return text
        found.append((_ROLES[role.lower()], text))
    system = found.pop(0)[1] if found and found[0][0] == "system" else ""
    if len(found) > 2:
        return CorpusReason.SEVERAL_EXCHANGES
    if [role for role, _ in found] != ["user", "assistant"]:
        return CorpusReason.INCOMPLETE_EXCHANGE
    return (f"{system}\n\n{found[0][1]}" if system else found[0][1]), found[1][1]


def text_of_parts(content: Any) -> str | CorpusReason:
    """The text of a message, whose parts may stand in a list; or why there is none."""
    if content is None:
        return CorpusReason.TURN_WITHOUT_TEXT
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return CorpusReason.NOT_TEXT
    texts = []
    for part in content:
        text = part.get("text") if isinstance(part, dict) and part.get("type") in _TEXT_PARTS else part
        if not isinstance(text, str):
            return CorpusReason.OTHER_PART
        texts.append(text)
    return "\n".join(texts) if texts else CorpusReason.TURN_WITHOUT_TEXT


def _below_system(
    batch: Batch, chat: str, instructions: pa.LargeStringArray, longest: int, status: Status
) -> pa.LargeStringArray:
    """The instructions with the column `system` before them, where the chat has no system turn of its own. An
    empty instruction, as of a chat that cannot be used, stays empty.
    """
    systems = texts_of(batch, _SYSTEM, batch.column(_SYSTEM), longest, status).to_pylist()
    whole = [
        f"{system}\n\n{text}" if system and text and not _has_system_turn(turns) else text
        for system, text, turns in zip(
            systems, instructions.to_pylist(), _listed(batch.column(chat)), strict=True
        )
    ]
    return texts_of(batch, chat, whole, longest, status)


def _has_system_turn(turns: Any) -> bool:
    first = turns[0] if isinstance(turns, list) and turns else {}
    return (
        isinstance(first, dict) and _ROLES.get(str(first.get("role", first.get("from"))).lower()) == "system"
    )


def _listed(values: Values) -> list[Any]:
    return values if isinstance(values, list) else list(values.to_pylist())


def _empty_texts(count: int) -> pa.LargeStringArray:
    return pa.array([""] * count, pa.large_string())


def _ids(batch: Batch, name: str, longest: int, status: Status) -> pa.LargeStringArray:
    """A column's ids as texts; null where a record has none, or an empty one."""
    values = batch.column(name)
    if isinstance(values, list):
        values = [str(value) if type(value) is int else value for value in values]
    elif pa.types.is_integer(values.type):
        values = values.cast(pa.large_string())
    elif not (is_text(values.type) or pa.types.is_null(values.type)):
        raise wrong_type(batch, name, values, "instead of an id", _ID_HINT)
    ids = texts_of(batch, name, values, longest, status, nulls=True)
    return pc.if_else(pc.equal(ids, ""), None, ids)


def _extra(batch: Batch, name: str, status: Status) -> pa.Array:
    """A column's values for filters: int64, float64, bool or large_string, or null where there are none."""
    hint = f"filter by another column than '{name}', or make it numbers or text"
    values = batch.column(name)
    if not isinstance(values, list):
        kind = values.type
        if pa.types.is_null(kind) or pa.types.is_boolean(kind):
            return values
        if pa.types.is_integer(kind) and kind != pa.uint64():
            return values.cast(pa.int64())
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return values.cast(pa.float64(), safe=False)
        if kind in (pa.string(), pa.large_string(), pa.string_view()):
            return values.cast(pa.large_string())
        raise wrong_type(batch, name, values, "cannot be filtered by", hint)
    first = next((value for value in values if value is not None), None)
    kinds = {int, float} if type(first) in (int, float) else {type(first)}
    for index, value in enumerate(values):
        if isinstance(value, list | dict):
            raise batch.error(index, f"a filter cannot use {kind_of(value)}", field=name, hint=hint)
        if value is not None and type(value) not in kinds:
            message = f"{kind_of(value)} in a column that also holds {kind_of(first)}"
            raise batch.error(index, message, field=name, hint="make the column all numbers or all text")
    if isinstance(first, str):
        return texts_of(batch, name, values, sys.maxsize, status, nulls=True)
    if isinstance(first, bool) or first is None:
        return pa.array(values)
    if all(value is None or (type(value) is int and -(2**63) <= value < 2**63) for value in values):
        return pa.array(values, pa.int64())
    return pa.array([None if value is None else _float(value) for value in values], pa.float64())


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
