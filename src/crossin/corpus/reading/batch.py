"""A batch of raw records, as they stand in a file: JSON objects, or rows of an Arrow table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossin.core.errors import CrossinError

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Batch(ABC):
    """Records of one file; `rows` are their numbers in it, counted from 0."""

    file: str | Path
    rows: Ints

    def __len__(self) -> int:
        return len(self.rows)

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The columns that any of the records has."""

    @abstractmethod
    def column(self, name: str, *, due: bool = False) -> list[Any] | pa.Array:
        """A column's values, None or null where a record has none; with `due`, a record that lacks the column
        is an error.
        """

    @abstractmethod
    def select(self, indices: Ints) -> Batch:
        """The records at `indices`, in that order."""

    @abstractmethod
    def where(self, index: int, /) -> str:
        """More about where record `index` stands than its row, for an error's message."""

    def error(self, index: int, message: str, *, field: str | None = None, hint: str) -> CrossinError:
        """The error that something is wrong with record `index` of the batch."""
        return CrossinError(
            message + self.where(index), file=self.file, row=int(self.rows[index]) + 1, field=field, hint=hint
        )

    def no_column(self, name: str, names: Sequence[str], index: int | None = None) -> CrossinError:
        """The error that a column is missing; `names` are those that exist."""
        shown = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        message = f"there is no column '{name}'; the columns are: {shown or '(none)'}"
        hint = f"add it, or tell under `columns` what it is called ({{{name}: …}})"
        return CrossinError(
            message + ("" if index is None else self.where(index)),
            file=self.file,
            row=None if index is None else int(self.rows[index]) + 1,
            hint=hint,
        )


@dataclass(frozen=True)
class JsonBatch(Batch):
    """Records from JSON, with the line that each begins on, counted from 1."""

    records: list[dict[str, Any]]
    lines: list[int]

    @cached_property
    def names(self) -> list[str]:
        """The columns that any of the records has."""
        return list(dict.fromkeys(chain.from_iterable(self.records)))

    def column(self, name: str, *, due: bool = False) -> list[Any] | pa.Array:
        """A column's values; None where a record has none."""
        if not due:
            return [record.get(name) for record in self.records]
        try:
            return [record[name] for record in self.records]
        except KeyError:
            index = next(i for i, record in enumerate(self.records) if name not in record)
            raise self.no_column(name, list(self.records[index]), index) from None

    def select(self, indices: Ints) -> JsonBatch:
        """The records at `indices`, in that order."""
        records, lines = [self.records[i] for i in indices], [self.lines[i] for i in indices]
        return JsonBatch(self.file, self.rows[indices], records, lines)

    def where(self, index: int, /) -> str:
        """The record's line."""
        return f" (line {self.lines[index]})"


@dataclass(frozen=True)
class TableBatch(Batch):
    """Records as rows of an Arrow table, which may hold only some of the file's columns (`all_names`)."""

    table: pa.Table
    all_names: list[str]

    @property
    def names(self) -> list[str]:
        """The columns of the file."""
        return self.all_names

    def column(self, name: str, *, due: bool = False) -> list[Any] | pa.Array:
        """A column's values; all null where the table has none."""
        count = self.table.schema.names.count(name)
        if count > 1:
            raise CrossinError(
                f"there are {count} columns '{name}'", file=self.file, hint="give each its own name"
            )
        if not count:
            if due:
                raise self.no_column(name, self.names)
            return pa.nulls(len(self))
        return self.table.column(name).combine_chunks()

    def where(self, _: int, /) -> str:
        """Nothing: the row says all."""
        return ""

    def select(self, indices: Ints) -> TableBatch:
        """The records at `indices`, in that order."""
        return TableBatch(self.file, self.rows[indices], self.table.take(pa.array(indices)), self.all_names)
