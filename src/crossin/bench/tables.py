"""The rows of a dataset's files, whatever their format, with the place that each is from."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.items.item import writable

_ENDINGS = ("parquet", "jsonl", "json", "csv", "tsv")
# The names that the hub and the library `datasets` give files; tried after those that a mapping names.
USUAL = (
    "{language}/{split}-*.parquet",
    "{language}/{split}/*.parquet",
    *(f"{{language}}/{{split}}.{ending}" for ending in _ENDINGS),
    *(f"{{language}}.{ending}" for ending in _ENDINGS),
    "{split}-*.parquet",
    "data/{split}-*.parquet",
    *(f"{{split}}.{ending}" for ending in _ENDINGS),
)
_LONGEST = 10_000_000


@dataclass(frozen=True)
class Row:
    """One row: its values by column, its file, and its number there, counted from 1."""

    file: Path
    row: int
    values: dict[str, Any]

    def error(self, message: str, field: str, hint: str) -> CrossinError:
        """The error that something is wrong with the row."""
        return CrossinError(message, file=self.file, row=self.row, field=field, hint=hint)

    def value(self, column: str) -> Any:
        """What a column holds; `choices.text` is inside the column `choices`."""
        if column in self.values:
            return self.values[column]
        found: Any = self.values
        for part in column.split("."):
            if not isinstance(found, dict) or part not in found:
                names = ", ".join(list(self.values)[:20]) or "(none)"
                raise self.error(
                    f"there is no column '{column}'; the columns are: {names}",
                    column,
                    "correct the mapping, or get the file that it was written for",
                )
            found = found[part]
        return found

    def text(self, column: str) -> str:
        """What a column holds, as text without spaces at its ends; empty where there is nothing (NaN too)."""
        value = self.value(column)
        if isinstance(value, float):
            value = None if math.isnan(value) else int(value) if value.is_integer() else value
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise self.error(
                f"holds {type(value).__name__} where text is due", column, "name a column that holds text"
            )
        text = "" if value is None else str(value).strip()
        if not writable(text):
            raise self.error("holds half of a character (a lone surrogate)", column, "repair the row")
        return text


def matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files that the first of `patterns` to find any finds, by name."""
    for pattern in patterns:
        try:
            found = sorted(path for path in folder.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError) as error:
            raise CrossinError(
                f"'{pattern}' is no pattern of files below a folder",
                file=folder,
                field="files",
                hint="correct `files` and `languages` in the mapping, or --split",
            ) from error
        if found:
            return found
    return []


def read_rows(file: Path, names: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of a file: JSON, JSON lines or Parquet (whatever it is called), or .csv or .tsv.

    The first line of a .csv or .tsv names the columns, unless `names` are given and differ from it. A .tsv
    has no quotes: all between two tabs is the text.
    """
    if file.suffix in (".csv", ".tsv"):
        yield from _separated(file, names)
        return
    from crossin.corpus.reading.records import read_records

    for number, record in read_records(file):
        yield Row(file, number, record)


def _separated(file: Path, names: Sequence[str]) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST)
    tabs = file.suffix == ".tsv"
    header = list(names)
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(
                text,
                delimiter="\t" if tabs else ",",
                quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
                strict=not tabs,
            )
            count = 0
            for line in lines:
                if not line or line == list(names):
                    continue
                if not header:
                    header = line
                    continue
                count += 1
                if len(line) != len(header):
                    raise CrossinError(
                        f"has {len(line)} columns (line {lines.line_num}); {len(header)} are due",
                        file=file,
                        row=count,
                        hint="repair the line, or get the file again",
                    )
                yield Row(file, count, dict(zip(header, line, strict=True)))
    except UnicodeDecodeError as error:
        raise CrossinError("is not UTF-8 text", file=file, hint="save the file as UTF-8") from error
    except (OSError, csv.Error) as error:
        raise CrossinError(
            f"cannot be read: {error}", file=file, hint="repair the file, or get it again"
        ) from error
