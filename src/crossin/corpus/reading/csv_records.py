"""Records from CSV and TSV, a batch at a time."""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import IO, Any

from crossin.core.errors import CrossinError
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.text_records import Numbered, batched, decoded, empty_file, split_lines

_LONGEST_VALUE = 2**31 - 1
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')


def csv_batches(
    stream: IO[bytes],
    file: str | Path,
    *,
    tabs: bool,
    typed: Set[str],
    names: Sequence[str],
    lenient: bool = False,
) -> Iterator[Batch]:
    """The records of CSV, or with `tabs` of TSV, which has no quotes (but see `_unquoted`).

    names: the columns; if empty, the first line names them. Blank lines and lines that repeat the names (the
    first one, with separators in place of their spaces, too) are skipped. typed: the columns that become
    numbers or truth values where all values of a batch are such; all other values are text. Raises
    CrossinError as `json_batches`.
    """
    for batch in batched(_csv(decoded(stream, file, lenient), file, tabs, names, lenient), file, lenient):
        assert isinstance(batch.records, list)
        for name in typed & set(batch.names):
            values = _typed([record[name] for record in batch.records])
            for record, value in zip(batch.records, values, strict=True):
                record[name] = value
        yield batch


def _csv(
    chunks: Iterator[str], file: str | Path, tabs: bool, names: Sequence[str], lenient: bool
) -> Numbered:
    """The row of each line as a dictionary, with the number of its first line; lenient: None for one after
    the first that cannot be read.
    """
    csv.field_size_limit(_LONGEST_VALUE)
    names, row = list(names), 0
    for line, values, fault in _csv_rows(split_lines(chunks), tabs):
        if not (names or fault):
            names = values
            if twice := {name for name in names if names.count(name) > 1}:
                raise CrossinError(
                    f"the columns {sorted(twice)} are there twice", file=file, hint="rename one of each"
                )
            continue
        if not fault and (values == names or not (row or " ".join(values) != " ".join(names))):
            continue
        row += 1
        if not fault and len(values) != len(names):
            fault = f"expected {len(names)} columns, found {len(values)}"
        if not fault:
            yield line, dict(zip(names, values, strict=True))
        elif lenient and row > 1:
            yield line, None
        else:
            raise CrossinError(f"line {line} is not CSV: {fault}", file=file, row=row, hint="repair the line")
    if not names:
        raise empty_file(file)


def _csv_rows(lines: Iterator[str], tabs: bool) -> Iterator[tuple[int, list[str], str]]:
    """The first line and the values of each row that is not blank, and what is wrong with a line that is not
    CSV. Reading goes on at the line below it: a stray quote takes in all rows up to the next quote, which
    would be lost.
    """
    line = 1
    read: list[str] = []
    again: deque[str] = deque()

    def following() -> Iterator[str]:
        while (text := again.popleft() if again else next(lines, None)) is not None:
            read.append(text)
            yield text + "\n"

    while True:
        reader = csv.reader(
            following(),
            delimiter="\t" if tabs else ",",
            quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
            strict=not tabs,
        )
        try:
            for values in reader:
                if values:
                    yield line, [_unquoted(value) for value in values] if tabs else values, ""
                line += len(read)
                read.clear()
            return
        except csv.Error as error:
            yield line, [], str(error)
            again.extendleft(reversed(read[1:]))
            read.clear()
            line += 1


def _unquoted(value: str) -> str:
    """A value of TSV, without the quotes that programs for CSV write around a value that holds quotes:
    `"a ""b"" c"` is `a "b" c`. A text that merely stands in quotes keeps them.
    """
    quoted = value[:1] == '"' and '""' in value[1:-1] and _QUOTED.fullmatch(value)
    return quoted[1].replace('""', '"') if quoted else value


def _typed(values: Sequence[str]) -> Sequence[Any]:
    """Texts as truth values, whole numbers or numbers, where all that are not empty are such."""
    given = {value for value in values if value}
    if given <= {"true", "false", "True", "False"}:
        return [value.lower() == "true" if value else None for value in values]
    for kind in (int, float):
        try:
            found = {value: kind(value) for value in given}
        except ValueError:
            continue
        return [found[value] if value else None for value in values]
    return values
