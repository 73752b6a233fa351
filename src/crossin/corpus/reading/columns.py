"""A column of a batch as checked Arrow values: texts, ids, or numbers, texts and truth values for filters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.corpus.reading.batch import Batch
from crossin.corpus.texts import raw

_TEXT_FIX = "write text there, or tell under `columns` which column holds it"
_ID_FIX = "write ids as text or as whole numbers"


def text_column(
    batch: Batch, name: str, longest: int, *, due: bool = False, nulls: bool = False
) -> pa.LargeStringArray:
    """A column's texts; a missing one is empty, or null with `nulls`. `due`: each record must have the
    column.

    Raises CrossinError, with the row, for what is no text, is longer than `longest` characters, is no UTF-8
    or lone half of a surrogate pair, or holds a NUL character.
    """
    return checked(batch, name, batch.column(name, due=due), longest, nulls=nulls)


def checked(
    batch: Batch, name: str, values: list[Any] | pa.Array, longest: int, *, nulls: bool = False
) -> pa.LargeStringArray:
    """Texts made from `values` (one a record) with the checks of `text_column`; `name` is for errors."""
    texts = _texts(batch, name, values)
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
            raise batch.error(
                index,
                f"is {lengths[index]:,} characters long; at most {longest:,} are read",
                field=name,
                hint="shorten the text, or raise `longest_field`",
            )
    return texts


def id_column(batch: Batch, name: str, longest: int) -> pa.LargeStringArray:
    """A column's ids as texts; null where a record has none (or an empty one)."""
    values = batch.column(name)
    if isinstance(values, list):
        kinds = set(map(type, values)) - {type(None)}
        if kinds - {str, int}:
            index = next(i for i, value in enumerate(values) if type(value) not in (str, int, type(None)))
            raise batch.error(index, f"the id is {_shown(values[index])}", field=name, hint=_ID_FIX)
        if int in kinds:
            values = [None if value is None else str(value) for value in values]
    elif pa.types.is_integer(values.type):
        values = values.cast(pa.large_string())
    elif not (_is_text(values.type) or pa.types.is_null(values.type)):
        raise _wrong_type(batch, name, values, "where an id is due", _ID_FIX)
    ids = checked(batch, name, values, longest, nulls=True)
    return pc.if_else(pc.equal(ids, ""), None, ids)


def extra_column(batch: Batch, name: str) -> pa.Array:
    """A column's values for filters, as int64, float64, bool or large_string, or of type null where there are
    none.
    """
    values = batch.column(name)
    if not isinstance(values, list):
        found = _plain(values)
        if found is None:
            raise _wrong_type(batch, name, values, "where a filter needs a number or text", _filter_fix(name))
        return found
    kinds = set(map(type, values)) - {type(None)}
    for index, value in enumerate(values):
        if type(value) not in (int, float, bool, str, type(None)):
            raise batch.error(
                index, f"a filter cannot use {_shown(value)}", field=name, hint=_filter_fix(name)
            )
        if len(kinds) > 1 and value is not None and not kinds <= {int, float}:
            first = next(one for one in values if one is not None)
            if type(value) is not type(first) and {type(value), type(first)} != {int, float}:
                raise batch.error(
                    index,
                    f"{_shown(value)} stands in a column that also holds {_shown(first)}",
                    field=name,
                    hint="make the column all numbers or all text",
                )
    if str in kinds:
        return _texts(batch, name, values)
    if bool in kinds or not kinds:
        return pa.array(values)
    if float not in kinds and all(value is None or -(2**63) <= value < 2**63 for value in values):
        return pa.array(values, pa.int64())
    return pa.array([None if value is None else _float(value) for value in values], pa.float64())


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def join_extras(parts: Sequence[pa.Array], file: Any, name: str) -> pa.Array:
    """One array from the parts of a column; whole numbers become floats where some part has floats."""
    kinds = {part.type for part in parts if not pa.types.is_null(part.type)}
    if kinds == {pa.int64(), pa.float64()}:
        kinds = {pa.float64()}
    if len(kinds) > 1:
        raise CrossinError(
            f"the column holds values of different types ({', '.join(sorted(map(str, kinds)))})",
            file=file,
            field=name,
            hint="make the column all numbers or all text",
        )
    kind = kinds.pop() if kinds else pa.null()
    return pa.chunked_array([part.cast(kind, safe=False) for part in parts], kind).combine_chunks()


def is_blank(texts: pa.LargeStringArray) -> Any:
    """Which texts are empty or only spaces, bool (n,)."""
    return pc.or_(pc.equal(pc.binary_length(texts), 0), pc.utf8_is_space(texts)).to_numpy(
        zero_copy_only=False
    )


def _texts(batch: Batch, name: str, values: list[Any] | pa.Array) -> pa.LargeStringArray:
    if not isinstance(values, list):
        return _arrow_texts(batch, name, values)
    try:
        # An array of another type: bytes would be taken as text otherwise, and come from no JSON.
        return pa.array(values, pa.large_string())
    except (pa.ArrowException, UnicodeEncodeError):
        for index, value in enumerate(values):
            if value is not None and not isinstance(value, str):
                raise batch.error(
                    index, f"{_shown(value)} where text is due", field=name, hint=_TEXT_FIX
                ) from None
            if value is not None and any("\ud800" <= character <= "\udfff" for character in value):
                raise batch.error(
                    index,
                    "holds a lone half of a surrogate pair, which is no character",
                    field=name,
                    hint="remove it, or write the whole pair",
                ) from None
        raise


def _arrow_texts(batch: Batch, name: str, values: pa.Array) -> pa.LargeStringArray:
    kind = values.type
    if pa.types.is_dictionary(kind):
        values, kind = values.dictionary_decode(), kind.value_type
    if not (_is_text(kind) or pa.types.is_null(kind)):
        raise _wrong_type(batch, name, values, "where text is due", _TEXT_FIX)
    try:
        texts = values.cast(pa.large_string())
        texts.validate(full=True)
    except pa.ArrowInvalid:
        for index, value in enumerate(values.cast(pa.large_binary())):
            try:
                (value.as_py() or b"").decode("utf-8")
            except UnicodeDecodeError:
                raise batch.error(
                    index, "is not UTF-8", field=name, hint="write the file again with texts in UTF-8"
                ) from None
        raise
    return texts


def _is_text(kind: Any) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (
        pa.types.is_string,
        pa.types.is_large_string,
        pa.types.is_string_view,
        pa.types.is_binary,
        pa.types.is_large_binary,
    )
    return any(test(kind) for test in tests)


def _plain(values: pa.Array) -> pa.Array | None:
    """The values as one of the types that filters know; None where there is none for them."""
    kind = values.type
    if pa.types.is_dictionary(kind):
        values, kind = values.dictionary_decode(), kind.value_type
    if pa.types.is_null(kind) or pa.types.is_boolean(kind):
        return values
    if pa.types.is_integer(kind):
        return values.cast(pa.float64() if kind == pa.uint64() else pa.int64(), safe=False)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return values.cast(pa.float64(), safe=False)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return values.cast(pa.large_string())
    return None


def _wrong_type(batch: Batch, name: str, values: pa.Array, due: str, hint: str) -> CrossinError:
    valid = values.is_valid().to_numpy(zero_copy_only=False)
    index = int(np.argmax(valid)) if len(valid) else 0
    return batch.error(index, f"a value of type {values.type} {due}", field=name, hint=hint)


def _filter_fix(name: str) -> str:
    return f"filter by another column than '{name}', or make it numbers or text"


def _shown(value: Any) -> str:
    kinds = {list: "a list", dict: "an object", bool: "true or false", int: "a number", float: "a number"}
    return kinds.get(type(value), "text" if isinstance(value, str) else "null")
