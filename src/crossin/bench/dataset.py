"""A dataset's files, from the hub or a folder, and their rows, whatever the format."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow

from crossin.bench.assemble import NotBuilt
from crossin.bench.text_forms import entry, opened
from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.network import use_certificates_for_hub
from crossin.core.suggestions import nearest
from crossin.corpus.reading.records import read_records
from crossin.corpus.reading.text_records import kind_of
from crossin.items.item import writable

_ENDINGS = ("parquet", "jsonl", "json", "csv", "tsv")
# The names that the hub and the library `datasets` give files.
USUAL = (
    "{language}/{split}-*.parquet",
    "{language}/{split}/*.parquet",
    *(f"{{language}}/{{split}}.{ending}" for ending in _ENDINGS),
    *(f"{{language}}.{ending}" for ending in _ENDINGS),
    "{split}-*.parquet",
    "data/{split}-*.parquet",
    *(f"{{split}}.{ending}" for ending in _ENDINGS),
)
# Seconds to wait for the hub's first response.
_TIMEOUT = 10


class RowFault(CrossinError):
    """What keeps one row from becoming an item: an error about the row, and the reason code (without the
    language).
    """

    def __init__(self, reason: str, message: str, *, row: DatasetRow, field: str, hint: str) -> None:
        super().__init__(message, file=row.file, row=row.row, field=field, hint=hint)
        self.reason = reason


@dataclass(frozen=True)
class DatasetRow:
    """One row: its values by column, its file, and its number there, counted from 1."""

    file: Path
    row: int
    values: dict[str, Any]

    def error(self, message: str, field: str, hint: str) -> CrossinError:
        """An error about the row."""
        return CrossinError(message, file=self.file, row=self.row, field=field, hint=hint)

    def fault(self, reason: str, message: str, field: str, hint: str) -> RowFault:
        """What keeps the row from becoming an item."""
        return RowFault(reason, message, row=self, field=field, hint=hint)

    def value(self, column: str) -> Any:
        """The value of a column, by its path: `choices.text` is inside the column `choices`, and `choices.0`
        the first of its list. A text on the way is read as a list or an object; inside of null is null.

        Raises RowFault where the row has no such column.
        """
        if column in self.values:
            return self.values[column]
        found: Any = self.values
        parts = column.split(".")
        for depth, part in enumerate(parts):
            here = opened(found)
            if here is None:
                return None
            try:
                found = entry(here, part)
            except KeyError:
                raise self._no_column(column, here, ".".join(parts[:depth])) from None
        return found

    def _no_column(self, column: str, here: Any, inside: str) -> RowFault:
        names = ", ".join(map(_visible, list(self.values)[:20])) or "(none)"
        message = f"there is no column '{column}'; the columns are: {names}"
        if isinstance(here, dict) and here is not self.values:
            message += f"; inside of '{inside}': {', '.join(map(str, list(here)[:20]))}"
        hint = "correct the mapping, or get the file that it was written for"
        stripped = {str(name).strip(): name for name in self.values}
        if here is self.values and (near := nearest(column.split(".")[0].strip(), stripped)):
            hint = f"did you mean '{stripped[near[0]]}'? Else {hint}"
        lists = [
            name
            for name, value in self.values.items()
            if _holds_rows(value) and column.split(".")[0] in value[0]
        ]
        if lists and here is self.values:
            hint = f"if the rows are the list in '{lists[0]}', add `rows: {lists[0]}`; else {hint}"
        return self.fault(NotBuilt.NO_COLUMN, message, column, hint)

    def text(self, column: str) -> str:
        """The value of a column as stripped text; empty for null and NaN."""
        return self.text_of(self.value(column), column)

    def text_of(self, value: Any, column: str) -> str:
        """A value in a column as stripped text; empty for null and NaN. Raises RowFault for anything else
        that is neither a text nor a number.
        """
        if isinstance(value, float):
            value = None if math.isnan(value) else int(value) if value.is_integer() else value
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            raise self.fault(
                NotBuilt.NOT_TEXT,
                f"expected text, not {_kind(value)}",
                column,
                "name a column that holds text",
            )
        return self.whole("" if value is None else str(value), column)

    def whole(self, text: str, column: str) -> str:
        """The text, stripped; RowFault if it cannot be written as UTF-8."""
        if not writable(text):
            raise self.fault(
                NotBuilt.BROKEN_TEXT,
                "contains half of a character (a lone surrogate)",
                column,
                "repair the row",
            )
        return text.strip()


def _kind(value: Any) -> str:
    """What a value is, in words; Parquet has values that JSON has not."""
    known = value is None or isinstance(value, str | bool | int | float | list | dict)
    return kind_of(value) if known else type(value).__name__


def _visible(name: Any) -> str:
    """A column's name, in quotes where spaces are part of it."""
    return f"'{name}'" if str(name) != str(name).strip() else str(name)


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def renamed(row: DatasetRow, names: Mapping[str, str]) -> DatasetRow:
    """The row with other names of its columns, `{name in the file: other name}`. Raises CrossinError where
    two columns would have one name.
    """
    values = {names.get(name, name): value for name, value in row.values.items()}
    if len(values) < len(row.values):
        raise row.error(
            f"two columns would have one name; they are called: {', '.join(map(str, row.values))}",
            "rename",
            "remove one of them from `rename` in the mapping",
        )
    return replace(row, values=values)


def read_rows(file: Path, rows: str | None, names: Sequence[str]) -> Iterator[DatasetRow]:
    """The rows of a file.

    rows: where the file is one JSON object, the path of the list that has the rows; the object's other values
    are columns of each row, and a row's own come first. names: the columns of a CSV file without a header.
    Raises CrossinError, with file and row, for what cannot be read.
    """
    if rows is None:
        try:
            for number, values in read_records(file, names=names):
                yield DatasetRow(file, number, values)
        except CrossinError as error:
            raise _as_one_object(file) or error from error.__cause__
        return
    whole = DatasetRow(file, 1, _object(file))
    found = whole.value(rows)
    if not isinstance(found, list):
        raise CrossinError(
            f"expected a list of rows, not {kind_of(found)}",
            file=file,
            field=rows,
            hint="name the list that holds the rows with `rows`",
        )
    outer = {name: value for name, value in whole.values.items() if name != rows.split(".")[0]}
    for number, values in enumerate(found, start=1):
        if not isinstance(values, dict):
            raise CrossinError(
                f"expected an object, not {kind_of(values)}",
                file=file,
                row=number,
                field=rows,
                hint="repair the row",
            )
        yield DatasetRow(file, number, {**outer, **values})


def _as_one_object(file: Path) -> CrossinError | None:
    """The error about a file of rows that is one JSON object with a list of rows; None for another file."""
    try:
        lists = [name for name, value in _object(file).items() if _holds_rows(value)]
    except CrossinError:
        return None
    hint = "add `rows` to the mapping, with the name of the list: "
    message = "is one JSON object, not a list of rows"
    return CrossinError(message, file=file, hint=hint + " or ".join(lists)) if lists else None


def _object(file: Path) -> dict[str, Any]:
    """The one object in a JSON file, plain or packed."""
    try:
        with pyarrow.input_stream(str(file), compression="detect") as stream:
            found = json.loads(stream.read().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = "it is empty" if not file.stat().st_size else str(error) or type(error).__name__
        raise CrossinError(
            f"cannot be read as one JSON object: {reason}",
            file=file,
            hint="get the file again; `rows` in the mapping is for files that hold one JSON object",
        ) from error
    if not isinstance(found, dict):
        raise CrossinError(
            f"expected one JSON object, not {kind_of(found)}",
            file=file,
            field="rows",
            hint="remove `rows` from the mapping where the file is a list of rows",
        )
    return found


def fetch(dataset: str, revision: str, patterns: Sequence[str]) -> Path:
    """A folder, in the hub library's cache, with the files of the hub's `dataset` that match `patterns`.

    The files are downloaded as they are: no code of a dataset is ever run. Raises CrossinError where the hub
    cannot be reached or refuses.
    """
    require("data", "huggingface_hub")
    from huggingface_hub import snapshot_download

    use_certificates_for_hub()
    try:
        found = snapshot_download(
            dataset,
            repo_type="dataset",
            revision=revision,
            allow_patterns=list(patterns),
            etag_timeout=_TIMEOUT,
        )
    except Exception as error:
        # The library raises its own errors, its HTTP client's and the disk's; their texts may quote the
        # user's token.
        raise CrossinError(
            f"'{dataset}' cannot be downloaded from the hub ({type(error).__name__})",
            hint="check the network, accept the dataset's terms on the hub where it has some, or get its "
            "files in another way and give their folder: --source DIR",
        ) from None
    return Path(found)


def matching(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """The files, sorted, of the first pattern that matches any."""
    for pattern in patterns:
        try:
            found = sorted(path for path in folder.glob(pattern) if path.is_file())
        except (ValueError, NotImplementedError) as error:
            raise CrossinError(
                f"'{pattern}' is not a pattern of files below a folder",
                file=folder,
                field="files",
                hint="correct `files` and `languages` in the mapping, or --split",
            ) from error
        if found:
            return found
    return []
