"""A batch of records becomes rows: checked Arrow columns of id, instruction, input, output and extras.

Known shapes are Alpaca's columns (`instruction`, `input`, `output`; `history` with earlier exchanges), chats
(`messages`, `conversations`, `conversation`; `chats.py` knows their forms), `prompt` with `completion`, as
texts or as lists of messages, and trees of replies (`trees.py`). A column `system` (`system_prompt`,
`system_message`) may stand beside them.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.formats import FIELDS
from crossin.corpus.conversations import JOINT, joined
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.chats import CHATS, SYSTEMS, ChatTexts, texts_of_chat, with_history
from crossin.corpus.reading.text_columns import Status, Values, is_text, mark, texts_of, wrong_type
from crossin.corpus.reading.text_records import kind_of
from crossin.corpus.reading.trees import MESSAGE_COLUMNS, TREE, TREE_ID
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import Source

_HISTORY = "history"
# A column beside the language's, as `zho` with `Hans` or `Hant`: ISO 15924.
_SCRIPT = "script"
_ISO_SCRIPT = re.compile("[A-Z][a-z]{3}")
_ID_HINT = "write ids as text or as whole numbers"


@dataclass(frozen=True)
class Rows:
    """Rows in one shape, as many as the batch that they come from has records.

    ids: null where a record has none. texts: by field. status: uint8 (n,), 0 for a usable row, else the
    number of its `CorpusReason`. extras: further columns by name. turns: where each turn of a conversation is
    (`conversations.py`), '' for one exchange; None where no row has any. changed: as `status`, for what is
    left out of a row that can be used.
    """

    ids: pa.LargeStringArray
    texts: dict[str, pa.LargeStringArray]
    status: Status
    extras: dict[str, pa.Array]
    turns: pa.LargeStringArray | None = None
    changed: Status | None = None

    def slice(self, start: int, length: int) -> Rows:
        """`length` rows from `start` on, without a copy."""
        return Rows(
            self.ids.slice(start, length),
            {field: texts.slice(start, length) for field, texts in self.texts.items()},
            self.status[start : start + length],
            {name: values.slice(start, length) for name, values in self.extras.items()},
            None if self.turns is None else self.turns.slice(start, length),
            None if self.changed is None else self.changed[start : start + length],
        )


def columns_read(source: Source, extras: Set[str]) -> set[str]:
    """The names of all columns that `to_rows` and `language_column` may read."""
    names = {part for name in _names(source).values() for part in re.findall(r"\{(\w+)\}", name) or [name]}
    beside = {*SYSTEMS, _HISTORY, _SCRIPT, TREE_ID, "prompt", "completion"}
    return {*names, *CHATS, *beside, *MESSAGE_COLUMNS, *extras}


def language_column(batch: Batch, source: Source, longest: int) -> tuple[str, pa.LargeStringArray]:
    """The column, or columns, of languages, and the language that each record names, in the record's own
    spelling; empty where it names none.

    Several columns are one language where `columns` says so (`{language}_{region}`), and where a column
    `script` beside it has codes of scripts alone. Raises CrossinError where there is no such column.
    """
    name = _names(source)["language"]
    if "{" not in name and _SCRIPT in batch.names and _are_scripts(batch.column(_SCRIPT)):
        name = f"{{{name}}}_{{{_SCRIPT}}}"
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
    whole = pc.binary_join_element_wise(*mixed, pa.scalar("", pa.large_string()))
    return name, pc.utf8_trim(whole, characters="_- ")


def _are_scripts(values: Values) -> bool:
    found = {value for value in _listed(values) if value}
    return bool(found) and all(isinstance(value, str) and _ISO_SCRIPT.fullmatch(value) for value in found)


def to_rows(
    batch: Batch, source: Source, longest: int, extras: Set[str] = frozenset(), *, several: bool = False
) -> Rows:
    """The records as rows.

    longest: the most characters that a field may have. extras: more columns to keep where the batch has them.
    several: whether a chat may have more than one exchange. A chat of other roles cannot be used, nor a row
    without an instruction, nor one with a value that is no text, a text that is too long or not valid
    Unicode, or a NUL: its `status` says why. Raises CrossinError, with file, row and field, for an unknown
    shape, and a column of a table of another type.
    """
    status = np.zeros(len(batch), np.uint8)
    mark(status, list(batch.broken), CorpusReason.BROKEN_RECORD)
    names = _names(source)
    chats = _chats(batch, source, longest, status)
    turns: pa.LargeStringArray | None = None
    changed: Status | None = None
    if chats is None:
        texts = _plain_texts(batch, source, longest, status)
        if any(one in batch.names and any(_listed(batch.column(one))) for one in (*SYSTEMS, _HISTORY)):
            texts, turns, changed = _with_context(batch, texts, longest, status, several)
    else:
        name, found = chats
        texts, turns, changed = _texts_of_chats(batch, name, found, longest, status, several)
    instructions = texts["instruction"]
    blank = pc.or_(pc.equal(pc.binary_length(instructions), 0), pc.utf8_is_space(instructions))
    status[blank.to_numpy(zero_copy_only=False) & (status == 0)] = CorpusReason.EMPTY_INSTRUCTION.number
    ids = _ids(batch, TREE_ID if _has_trees(batch) else names["id"], longest, status)
    kept = {name: _extra(batch, name, status) for name in sorted(extras) if name in batch.names}
    return Rows(ids, texts, status, kept, turns, changed)


def _names(source: Source) -> dict[str, str]:
    """The source's names of the id, the language and each field."""
    return {field: field for field in ("id", "language", *FIELDS)} | dict(source.columns)


def _chats(batch: Batch, source: Source, longest: int, status: Status) -> tuple[str, list[Any]] | None:
    """The name of the column of chats, and each row's chat with its system text; None for rows of texts."""
    if _has_instruction(batch, source):
        return None
    name = next((one for one in CHATS if one in batch.names), None)
    if name is not None:
        columns = [_listed(batch.column(one)) for one in CHATS if one in batch.names]
        chats = [next((chat for chat in row if chat is not None), None) for row in zip(*columns, strict=True)]
    elif _has_trees(batch):
        name, chats = TREE, _listed(batch.column(TREE, required=True))
    elif {"prompt", "completion"} <= set(batch.names):
        name, both = "prompt", [_listed(batch.column(one)) for one in ("prompt", "completion")]
        if not any(isinstance(prompt, list) for prompt in both[0]):
            return None
        lists = (all(isinstance(part, list) for part in pair) for pair in zip(*both, strict=True))
        chats = [[*one, *two] if right else "" for one, two, right in zip(*both, lists, strict=True)]
    else:
        raise batch.no_column(_names(source)["instruction"], batch.names)
    systems = _systems(batch, longest, status)
    return name, list(zip(chats, systems, strict=True))


def _systems(batch: Batch, longest: int, status: Status) -> list[str]:
    """The system text beside each row, the first that it has; empty where there is none."""
    columns = (
        texts_of(batch, name, batch.column(name), longest, status).to_pylist()
        for name in SYSTEMS
        if name in batch.names
    )
    return [next(filter(None, row), "") for row in zip([""] * len(batch), *columns, strict=True)]


def _has_instruction(batch: Batch, source: Source) -> bool:
    """Whether the rows are in Alpaca's columns, under their names or others."""
    renamed = "instruction" in source.columns or "output" in source.columns
    return renamed or _names(source)["instruction"] in batch.names


def _has_trees(batch: Batch) -> bool:
    return TREE in batch.names and "completion" not in batch.names and TREE_ID in batch.names


def _with_context(
    batch: Batch, texts: dict[str, pa.LargeStringArray], longest: int, status: Status, several: bool
) -> tuple[dict[str, pa.LargeStringArray], pa.LargeStringArray, Status]:
    """Alpaca's rows below their system texts and after the exchanges of their `history`."""
    changed = np.zeros(len(batch), np.uint8)
    systems = _systems(batch, longest, status)
    histories = _listed(batch.column(_HISTORY))
    rows: list[tuple[str, str, str]] = []
    found: list[str] = []
    columns = (texts[field].to_pylist() for field in FIELDS)
    for index, (asked, given, said) in enumerate(zip(*columns, strict=True)):
        system, history = systems[index], histories[index]
        chat = ChatTexts(asked, said)
        if history:
            own = JOINT.join(filter(None, (asked, given)))
            whole = with_history(history, ("user", own), ("assistant", said))
            read = texts_of_chat(whole, system, several=several)
            if isinstance(read, CorpusReason):
                mark(status, [index], read)
            else:
                chat, given = read, ""
        elif system and asked:
            chat = ChatTexts(*joined([("system", system), ("user", asked), ("assistant", said)]))
        rows.append((chat.instruction, given, chat.output))
        found.append(chat.turns)
        changed[index] = chat.changed.number if chat.changed else 0
    fields = {
        field: texts_of(batch, field, list(values), longest, status)
        for field, values in zip(FIELDS, zip(*rows, strict=True), strict=True)
    }
    return fields, pa.array(found, pa.large_string()), changed


def _plain_texts(
    batch: Batch, source: Source, longest: int, status: Status
) -> dict[str, pa.LargeStringArray]:
    """The texts of rows whose columns are texts."""
    names = _names(source)
    if not _has_instruction(batch, source):
        prompt, completion = (
            texts_of(batch, one, _required(batch, one, status), longest, status)
            for one in ("prompt", "completion")
        )
        return {"instruction": prompt, "input": _empty_texts(len(batch)), "output": completion}
    return {
        field: texts_of(
            batch,
            names[field],
            batch.column(names[field]) if field == "input" else _required(batch, names[field], status),
            longest,
            status,
        )
        for field in FIELDS
    }


def _required(batch: Batch, name: str, status: Status) -> Values:
    """A column's values; rows that lack it are marked. Raises CrossinError where all rows lack it."""
    if name not in batch.names:
        raise batch.no_column(name, batch.names)
    if isinstance(batch.records, list):
        mark(status, np.array([name not in one for one in batch.records]), CorpusReason.MISSING_FIELD)
    return batch.column(name)


def _texts_of_chats(
    batch: Batch, name: str, chats: list[Any], longest: int, status: Status, several: bool
) -> tuple[dict[str, pa.LargeStringArray], pa.LargeStringArray, Status]:
    """The texts of chats with their system texts, where their turns are, and what was left out of them."""
    changed = np.zeros(len(batch), np.uint8)
    found: list[ChatTexts] = []
    for index, (chat, system) in enumerate(chats):
        texts = texts_of_chat(chat, system, several=several)
        if isinstance(texts, CorpusReason):
            mark(status, [index], texts)
            texts = ChatTexts("", "")
        elif texts.changed is not None:
            changed[index] = texts.changed.number
        found.append(texts)
    fields = {
        "instruction": texts_of(batch, name, [one.instruction for one in found], longest, status),
        "input": _empty_texts(len(batch)),
        "output": texts_of(batch, name, [one.output for one in found], longest, status),
    }
    return fields, pa.array([one.turns for one in found], pa.large_string()), changed


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
