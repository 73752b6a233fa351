"""A column of a batch as checked texts. What is no text of a row is marked in its status, and left out."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.reasons import fix_of
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reasons import CorpusReason
from crossin.corpus.texts import raw

Values: TypeAlias = list[Any] | pa.Array
# uint8 (n,), 0 for a usable row, else the number of its `CorpusReason`.
Status: TypeAlias = npt.NDArray[np.uint8]


def mark(status: Status, rows: npt.NDArray[np.bool_] | list[int], reason: CorpusReason) -> None:
    """Mark rows (a mask, or indices) that have no reason yet."""
    chosen = np.zeros(len(status), np.bool_)
    chosen[rows] = True
    status[chosen & (status == 0)] = reason.number


def texts_of(
    batch: Batch, name: str, values: Values, longest: int, status: Status, *, nulls: bool = False
) -> pa.LargeStringArray:
    """Texts from `values`, one a record; null becomes empty, or stays with `nulls`.

    Empty is also what is no text, is not valid Unicode, holds a NUL, or has more than `longest` characters:
    such a row is marked in `status`. Raises CrossinError where a column of a table is of another type.
    """
    texts = (
        _from_json(values, status) if isinstance(values, list) else _from_arrow(batch, name, values, status)
    )
    offsets, data = raw(texts)
    faulty = np.zeros(len(texts), np.bool_)
    if len(data) and not data.all():
        nuls = np.flatnonzero(data == 0)
        rows = np.unique(np.searchsorted(offsets - offsets[0], nuls, side="right") - 1)
        mark(status, rows.tolist(), CorpusReason.BROKEN_TEXT)
        faulty[rows] = True
    # No text has more characters than bytes.
    if len(texts) and np.diff(offsets).max() > longest:
        long = pc.utf8_length(texts).fill_null(0).to_numpy() > longest
        mark(status, long, CorpusReason.TOO_LONG)
        faulty |= long
    if faulty.any():
        texts = pc.if_else(pa.array(faulty), pa.scalar(None, pa.large_string()), texts)
    return texts.fill_null("") if texts.null_count and not nulls else texts


def _from_json(values: list[Any], status: Status) -> pa.LargeStringArray:
    try:
        # An array of another type: bytes would be taken as text otherwise, and come from no JSON.
        return pa.array(values, pa.large_string())
    except (pa.ArrowException, UnicodeEncodeError):
        strange = [value is not None and not isinstance(value, str) for value in values]
        broken = [isinstance(value, str) and not is_unicode(value) for value in values]
        mark(status, np.array(strange), CorpusReason.NOT_TEXT)
        mark(status, np.array(broken), CorpusReason.BROKEN_TEXT)
        kept = zip(values, strange, broken, strict=True)
        return pa.array([None if one or other else value for value, one, other in kept], pa.large_string())


def _from_arrow(batch: Batch, name: str, values: pa.Array, status: Status) -> pa.LargeStringArray:
    if not (is_text(values.type) or pa.types.is_null(values.type)):
        raise wrong_type(batch, name, values, "instead of text", fix_of(CorpusReason.NOT_TEXT))
    try:
        texts = values.cast(pa.large_string())
        texts.validate(full=True)
    except pa.ArrowInvalid:
        found = [_decoded(value.as_py()) for value in values.cast(pa.large_binary())]
        broken = pc.and_(values.is_valid(), pa.array([text is None for text in found]))
        mark(status, broken.to_numpy(zero_copy_only=False), CorpusReason.BROKEN_TEXT)
        return pa.array(found, pa.large_string())
    return texts


def is_unicode(value: Any) -> bool:
    """Whether a text holds no half of a surrogate pair, nor the texts in a list or an object."""
    if isinstance(value, str):
        try:
            # UTF-8 holds all of Unicode but these halves; encoding is far faster than a look at each.
            value.encode()
        except UnicodeEncodeError:
            return False
        return True
    if isinstance(value, dict):
        return all(map(is_unicode, value.values()))
    return not isinstance(value, list) or all(map(is_unicode, value))


def _decoded(data: bytes | None) -> str | None:
    try:
        return None if data is None else data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of a table may hold texts."""
    return kind in (pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary())


def wrong_type(batch: Batch, name: str, values: pa.Array, what: str, hint: str) -> Exception:
    """The error that a column of a table is of a type that cannot be read; it names the first such row."""
    valid = values.is_valid().to_numpy(zero_copy_only=False)
    index = int(np.argmax(valid)) if len(valid) else 0
    return batch.error(index, f"a value of type {values.type} {what}", field=name, hint=hint)
