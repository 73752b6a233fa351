"""A batch of records becomes rows: checked Arrow columns of id, instruction, input, output and extras.

Known shapes are Alpaca's columns (`instruction`, `input`, `output`), chats (`messages` with role and content,
`conversations` with from and value; a column `system` beside them) and `prompt` with `completion`, as texts
or as lists of messages.
"""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.formats import FIELDS
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.text_records import kind_of
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.spec import Source
from crossin.corpus.texts import raw

_CHATS = ("messages", "conversations")
# A column beside a chat, as ShareGPT's files have it.
_SYSTEM = "system"
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
_CHAT_HINT = 'write the turns as [{"role": "user", "content": …}, {"role": "assistant", "content": …}]'
_TEXT_HINT = "write text there, or name the column that holds it under `columns`"
_ID_HINT = "write ids as text or as whole numbers"
Values: TypeAlias = list[Any] | pa.Array


@dataclass(frozen=True)
class Rows:
    """Rows in one shape, as many as the batch that they come from has records.

    ids: null where a record has none. texts: by field. status: uint8 (n,), 0 for a usable row, else the
    number of its `CorpusReason`. extras: further columns by name.
    """

    ids: pa.LargeStringArray
    texts: dict[str, pa.LargeStringArray]
    status: npt.NDArray[np.uint8]
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
    return {*_names(source).values(), *_CHATS, _SYSTEM, "prompt", "completion", *extras}


def language_column(batch: Batch, source: Source, longest: int) -> pa.LargeStringArray:
    """The language that each record names, in the record's own spelling; empty where it names none.

    Raises CrossinError where there is no such column.
    """
    name = _names(source)["language"]
    if name not in batch.names:
        raise batch.no_column(name, batch.names)
    return _texts(batch, name, batch.column(name), longest)


def to_rows(batch: Batch, source: Source, longest: int, extras: Set[str] = frozenset()) -> Rows:
    """The records as rows.

    longest: the most characters that a field may have. extras: more columns to keep where the batch has them.
    A chat that is not one exchange cannot be used, nor a row without an instruction. Raises CrossinError,
    with file, row and field, for an unknown shape, and for a value of the wrong type, a text that is too long
    or not valid Unicode, or a NUL.
    """
    status = np.zeros(len(batch), np.uint8)
    names = _names(source)
    chat = next((name for name in _CHATS if name in batch.names), None)
    renamed = "instruction" in source.columns or "output" in source.columns
    if renamed or names["instruction"] in batch.names:
        texts = {
            field: _texts(batch, names[field], batch.column(names[field], required=field != "input"), longest)
            for field in FIELDS
        }
    elif chat is not None:
        texts = _exchanges(batch, chat, _listed(batch.column(chat, required=True)), longest, status)
        if _SYSTEM in batch.names:
            texts["instruction"] = _below_system(batch, chat, texts["instruction"], longest)
    elif {"prompt", "completion"} <= set(batch.names):
        texts = _prompt_completion(batch, longest, status)
    else:
        raise batch.no_column(names["instruction"], batch.names)
    instructions = texts["instruction"]
    blank = pc.or_(pc.equal(pc.binary_length(instructions), 0), pc.utf8_is_space(instructions))
    status[blank.to_numpy(zero_copy_only=False) & (status == 0)] = CorpusReason.EMPTY_INSTRUCTION.number
    return Rows(
        _ids(batch, names["id"], longest),
        texts,
        status,
        {name: _extra(batch, name) for name in sorted(extras) if name in batch.names},
    )


def _names(source: Source) -> dict[str, str]:
    """The source's names of the id, the language and each field."""
    return {field: field for field in ("id", "language", *FIELDS)} | dict(source.columns)


def _prompt_completion(
    batch: Batch, longest: int, status: npt.NDArray[np.uint8]
) -> dict[str, pa.LargeStringArray]:
    prompts, completions = (batch.column(name, required=True) for name in ("prompt", "completion"))
    if isinstance(prompts, list):
        chats = any(isinstance(prompt, list) for prompt in prompts)
    else:
        chats = pa.types.is_list(prompts.type) or pa.types.is_large_list(prompts.type)
    if not chats:
        return {
            "instruction": _texts(batch, "prompt", prompts, longest),
            "input": _empty_texts(len(batch)),
            "output": _texts(batch, "completion", completions, longest),
        }
    turns = []
    for index, (before, after) in enumerate(zip(_listed(prompts), _listed(completions), strict=True)):
        for name, part in (("prompt", before), ("completion", after)):
            if not isinstance(part, list):
                message = "not a list of messages, unlike others in this column"
                raise batch.error(index, message, field=name, hint=_CHAT_HINT)
        turns.append([*before, *after])
    return _exchanges(batch, "prompt", turns, longest, status)


def _exchanges(
    batch: Batch, name: str, chats: Sequence[Any], longest: int, status: npt.NDArray[np.uint8]
) -> dict[str, pa.LargeStringArray]:
    instructions, outputs = [], []
    for index, turns in enumerate(chats):
        try:
            found = _exchange(turns)
        except ValueError as error:
            raise batch.error(index, str(error), field=name, hint=_CHAT_HINT) from error
        if isinstance(found, CorpusReason):
            status[index] = found.number
            found = ("", "")
        instructions.append(found[0])
        outputs.append(found[1])
    return {
        "instruction": _texts(batch, name, instructions, longest),
        "input": _empty_texts(len(batch)),
        "output": _texts(batch, name, outputs, longest),
    }


def _exchange(turns: Any) -> tuple[str, str] | CorpusReason:
    """Instruction and output of one chat, or why it does not have exactly one of each.

    A system text, if there is one, goes before the user's, with an empty line between. Raises ValueError for
    what is not a chat.
    """
    if turns is None:
        return CorpusReason.INCOMPLETE_EXCHANGE
    if not isinstance(turns, list):
        raise ValueError("not a list of messages")
    found: list[tuple[str, str]] = []
    for turn in turns:
        if not isinstance(turn, dict):
            raise ValueError("holds a message that is not an object")
        role = turn.get("role", turn.get("from"))
        text = turn.get("content", turn.get("value"))
        if not isinstance(role, str):
            raise ValueError("holds a message without a role")
        if text is not None and not isinstance(text, str):
            raise ValueError("holds a message whose content is not text")
        if role.lower() not in _ROLES:
            return CorpusReason.OTHER_ROLE
        if text is None:
            return CorpusReason.TURN_WITHOUT_TEXT
        found.append((_ROLES[role.lower()], text))
    system = found.pop(0)[1] if found and found[0][0] == "system" else ""
    if len(found) > 2:
        return CorpusReason.SEVERAL_EXCHANGES
    if [role for role, _ in found] != ["user", "assistant"]:
        return CorpusReason.INCOMPLETE_EXCHANGE
    return (f"{system}\n\n{found[0][1]}" if system else found[0][1]), found[1][1]


def _below_system(
    batch: Batch, chat: str, instructions: pa.LargeStringArray, longest: int
) -> pa.LargeStringArray:
    """The instructions with the column `system` before them, where the chat has no system turn of its own. An
    empty instruction, as of a chat that cannot be used, stays empty.
    """
    systems = _texts(batch, _SYSTEM, batch.column(_SYSTEM), longest).to_pylist()
    whole = [
        f"{system}\n\n{text}" if system and text and not _has_system_turn(turns) else text
        for system, text, turns in zip(
            systems, instructions.to_pylist(), _listed(batch.column(chat)), strict=True
        )
    ]
    return _texts(batch, chat, whole, longest)


def _has_system_turn(turns: Any) -> bool:
    first = turns[0] if isinstance(turns, list) and turns else {}
    return _ROLES.get(str(first.get("role", first.get("from"))).lower()) == "system"


def _listed(values: Values) -> list[Any]:
    return values if isinstance(values, list) else list(values.to_pylist())


def _empty_texts(count: int) -> pa.LargeStringArray:
    return pa.array([""] * count, pa.large_string())


def _texts(
    batch: Batch, name: str, values: Values, longest: int, *, nulls: bool = False
) -> pa.LargeStringArray:
    """Checked texts from `values`, one a record; null becomes empty, or stays with `nulls`."""
    texts = _as_texts(batch, name, values)
    if texts.null_count and not nulls:
        texts = texts.fill_null("")
    offsets, data = raw(texts)
    if len(data) and not data.all():
        index = int(np.searchsorted(offsets - offsets[0], np.flatnonzero(data == 0)[0], side="right")) - 1
        raise batch.error(index, "holds a NUL character", field=name, hint="remove the character")
    # No text has more characters than bytes.
    if len(texts) and np.diff(offsets).max() > longest:
        lengths = pc.utf8_length(texts).fill_null(0).to_numpy()
        if lengths.max() > longest:
            index = int(np.argmax(lengths > longest))
            message = f"is {lengths[index]:,} characters long; the limit is {longest:,}"
            raise batch.error(
                index, message, field=name, hint="shorten the text; a recipe may raise `longest_field`"
            )
    return texts


def _ids(batch: Batch, name: str, longest: int) -> pa.LargeStringArray:
    """A column's ids as texts; null where a record has none, or an empty one."""
    values = batch.column(name)
    if isinstance(values, list):
        for index, value in enumerate(values):
            if type(value) not in (str, int, type(None)):
                raise batch.error(index, f"the id is {kind_of(value)}", field=name, hint=_ID_HINT)
        values = [str(value) if type(value) is int else value for value in values]
    elif pa.types.is_integer(values.type):
        values = values.cast(pa.large_string())
    elif not (_is_text(values.type) or pa.types.is_null(values.type)):
        raise _wrong_type(batch, name, values, "instead of an id", _ID_HINT)
    ids = _texts(batch, name, values, longest, nulls=True)
    return pc.if_else(pc.equal(ids, ""), None, ids)


def _extra(batch: Batch, name: str) -> pa.Array:
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
        raise _wrong_type(batch, name, values, "cannot be filtered by", hint)
    first = next((value for value in values if value is not None), None)
    kinds = {int, float} if type(first) in (int, float) else {type(first)}
    for index, value in enumerate(values):
        if isinstance(value, list | dict):
            raise batch.error(index, f"a filter cannot use {kind_of(value)}", field=name, hint=hint)
        if value is not None and type(value) not in kinds:
            message = f"{kind_of(value)} in a column that also holds {kind_of(first)}"
            raise batch.error(index, message, field=name, hint="make the column all numbers or all text")
    if isinstance(first, str):
        return _as_texts(batch, name, values)
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


def _as_texts(batch: Batch, name: str, values: Values) -> pa.LargeStringArray:
    if not isinstance(values, list):
        return _arrow_texts(batch, name, values)
    try:
        # An array of another type: bytes would be taken as text otherwise, and come from no JSON.
        return pa.array(values, pa.large_string())
    except (pa.ArrowException, UnicodeEncodeError):
        for index, value in enumerate(values):
            if value is not None and not isinstance(value, str):
                message = f"{kind_of(value)} instead of text"
                raise batch.error(index, message, field=name, hint=_TEXT_HINT) from None
            if value is not None and any("\ud800" <= character <= "\udfff" for character in value):
                message, hint = "holds half of a surrogate pair", "remove it, or write the whole pair"
                raise batch.error(index, message, field=name, hint=hint) from None
        raise


def _arrow_texts(batch: Batch, name: str, values: pa.Array) -> pa.LargeStringArray:
    if not (_is_text(values.type) or pa.types.is_null(values.type)):
        raise _wrong_type(batch, name, values, "instead of text", _TEXT_HINT)
    try:
        texts = values.cast(pa.large_string())
        texts.validate(full=True)
    except pa.ArrowInvalid:
        for index, value in enumerate(values.cast(pa.large_binary())):
            try:
                (value.as_py() or b"").decode("utf-8")
            except UnicodeDecodeError:
                hint = "write the file again with texts in UTF-8"
                raise batch.error(index, "is not UTF-8", field=name, hint=hint) from None
        raise
    return texts


def _is_text(kind: pa.DataType) -> bool:
    return kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary())


def _wrong_type(batch: Batch, name: str, values: pa.Array, what: str, hint: str) -> Exception:
    valid = values.is_valid().to_numpy(zero_copy_only=False)
    index = int(np.argmax(valid)) if len(valid) else 0
    return batch.error(index, f"a value of type {values.type} {what}", field=name, hint=hint)
