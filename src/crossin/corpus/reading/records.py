"""The records of a file: JSON, JSON lines, CSV or Parquet, plain or packed as .gz or .zst.

`read_records` gives them one by one, `read_batches` in batches of columns for large corpora.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crossin.core.errors import CrossinError
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.text_records import csv_batches, json_batches

TABLE_BATCH = 16_384
_PACKED = (".gz", ".zst", ".zstd")
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def read_records(
    path: Path | str, columns: Set[str] | None = None, names: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The records of a file in their order, each with its row number: (row, values), rows from 1.

    columns: of Parquet only these are read; None for all. names: the columns of a CSV file that does not name
    them in its first line. All values of a CSV file are text. Blank lines are skipped and have no row.
    Raises CrossinError, with file and row, for a file that cannot be read and a record that is not an object.
    """
    for batch in read_batches(Path(path), columns, names=names):
        yield from zip((batch.rows + 1).tolist(), batch.to_list(), strict=True)


def read_batches(
    file: Path,
    columns: Set[str] | None = None,
    typed: Set[str] = frozenset(),
    names: Sequence[str] = (),
) -> Iterator[Batch]:
    """The records of a file in batches, as `read_records`.

    typed: the columns of a CSV file that become numbers or truth values where all their values are such.
    The content decides between JSON and Parquet, the name (.csv, .tsv) on CSV.
    """
    try:
        with file.open("rb") as start:
            head = start.read(4)
        packing = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
        if packing is not None:
            with pa.input_stream(str(file), compression=packing) as stream:
                head = stream.read(4)
        if head == b"PAR1":
            yield from _unpacked_parquet(file, packing, columns)
            return
        kind = kind_of_name(file.name)
        with pa.input_stream(str(file), compression=packing) as stream:
            if kind in ("csv", "tsv"):
                yield from csv_batches(stream, file, tabs=kind == "tsv", typed=typed, names=names)
            else:
                yield from json_batches(stream, file)
    except OSError as error:
        raise CrossinError(
            f"cannot be read: {error.strerror or error}",
            file=file,
            hint="check the path, or get the file again",
        ) from error


def kind_of_name(name: str) -> str:
    """The last ending of a file's name without the dot (`jsonl`), whatever it is packed as; lower case."""
    name = name.lower()
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return name.rpartition(".")[2] if "." in name else ""


def columns_to_read(names: list[str], wanted: Set[str] | None) -> list[str]:
    """The columns of a table that are read."""
    # A table without columns would have no rows, and its error would be about them.
    return [name for name in names if wanted is None or name in wanted] or names[:1]


def _unpacked_parquet(file: Path, packing: str | None, columns: Set[str] | None) -> Iterator[Batch]:
    if packing is None:
        yield from _parquet(file, file, columns)
        return
    # Parquet is read from its end, so it must be unpacked first.
    with (
        pa.input_stream(str(file), compression=packing) as stream,
        tempfile.TemporaryFile() as unpacked,
    ):
        shutil.copyfileobj(stream, unpacked)
        yield from _parquet(pa.PythonFile(unpacked, mode="r"), file, columns)


def _parquet(place: Any, file: Path, columns: Set[str] | None) -> Iterator[Batch]:
    first = 0
    try:
        with pq.ParquetFile(place) as parquet:
            names = list(parquet.schema_arrow.names)
            chosen = columns_to_read(names, columns)
            for records in parquet.iter_batches(batch_size=TABLE_BATCH, columns=chosen):
                yield Batch.of_table(file, first, pa.Table.from_batches([records]), names)
                first += len(records)
    except (pa.ArrowException, OSError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CrossinError(
            f"cannot be read as Parquet: {message}", file=file, row=first + 1, hint="make the file again"
        ) from error
