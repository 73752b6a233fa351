"""A batch of raw records, as a file has them: JSON objects, or rows of an Arrow table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.core.errors import CrossinError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Records of one file; `rows` (n,) are their numbers in it, counted from 0.

    names: the file's columns; of JSON, those that any record of the batch has. lines: the line that each JSON
    record begins on, counted from 1. A table may hold only some of the columns. broken: the places of records
    that could not be read, whose values are None.
    """

    file: str | Path
    rows: Ints
    records: list[dict[str, Any]] | pa.Table
    names: list[str]
    lines: list[int] | None = None
    broken: Sequence[int] = ()

    @classmethod
    def of(
        cls,
        file: str | Path,
        first: int,
        records: list[dict[str, Any]] | pa.Table,
        names: list[str] | None = None,
        lines: list[int] | None = None,
        broken: Sequence[int] = (),
    ) -> Batch:
        """A batch that begins with row `first`; without `names`, of JSON objects."""
        names = list(dict.fromkeys(chain.from_iterable(records))) if names is None else names
        for place in broken:
            records[place] = dict.fromkeys(names)
        return cls(file, np.arange(first, first + len(records)), records, names, lines, broken)

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, name: str, *, required: bool = False) -> list[Any] | pa.Array:
        """A column's values, None or null where a record has none; with `required`, a record that lacks the
        column is an error.
        """
        if isinstance(self.records, list):
            if not required:
                return [record.get(name) for record in self.records]
            try:
                return [record[name] for record in self.records]
            except KeyError:
                index = next(i for i, record in enumerate(self.records) if name not in record)
                raise self.no_column(name, list(self.records[index]), index) from None
        count = self.records.schema.names.count(name)
        if count > 1:
            raise CrossinError(
                f"there are {count} columns '{name}'", file=self.file, hint="give each its own name"
            )
        if not count:
            if required:
                raise self.no_column(name, self.names)
            return pa.nulls(len(self))
        values = self.records.column(name).combine_chunks()
        return values.dictionary_decode() if pa.types.is_dictionary(values.type) else values

    def to_list(self) -> list[dict[str, Any]]:
        """The records as dictionaries."""
        return self.records if isinstance(self.records, list) else list(self.records.to_pylist())

    def select(self, indices: Ints) -> Batch:
        """The records at `indices`, in that order."""
        if isinstance(self.records, list):
            records = [self.records[i] for i in indices]
            lines = [self.lines[i] for i in indices] if self.lines else None
            broken = np.flatnonzero(np.isin(indices, self.broken)).tolist()
            return Batch(self.file, self.rows[indices], records, self.names, lines, broken)
        return Batch(self.file, self.rows[indices], self.records.take(pa.array(indices)), self.names)

    def error(self, index: int | None, message: str, *, field: str | None = None, hint: str) -> CrossinError:
        """The error that something is wrong with record `index` of the batch (None: with all)."""
        row = None if index is None else int(self.rows[index]) + 1
        if self.lines is not None and index is not None:
            message += f" (line {self.lines[index]})"
        return CrossinError(message, file=self.file, row=row, field=field, hint=hint)

    def no_column(self, name: str, names: Sequence[str], index: int | None = None) -> CrossinError:
        """The error that a column is missing, in record `index` or in all; `names` are those that exist."""
        shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        message = f"there is no column '{name}'; the columns are: {shown or '(none)'}"
        return self.error(index, message, hint=f"add it, or give its name under `columns` ({{{name}: …}})")
