"""The raw records of a source, a batch at a time: JSON, JSON lines, Parquet, a folder of these, a dataset."""

from __future__ import annotations

import difflib
import shutil
import tempfile
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.corpus.reading.batch import Batch, TableBatch
from crossin.corpus.reading.json_records import json_batches
from crossin.corpus.spec import Source

TABLE_BATCH = 16_384
_SHARDS = (".parquet", ".jsonl", ".ndjson")
_PACKED = (".gz", ".zst", ".zstd")
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}


def read_records(source: Source, data: Path, wanted: Set[str]) -> Iterator[Batch]:
    """All records of a source in their order, in batches of one file each; paths are relative to `data`.
    Of a table only the columns in `wanted` are read.

    A file's content tells its format. Raises CrossinError, with the file and where it can the row and line,
    for what cannot be read.
    """
    if source.path is None:
        yield from _dataset(source, data, wanted)
        return
    for file in source_files(data / source.path, data):
        yield from _file(file, wanted)


def source_files(path: Path, data: Path) -> list[Path]:
    """The file at `path`, or the shards in the folder there, by name."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        near = []
        if path.parent.is_dir():
            near = difflib.get_close_matches(path.name, [one.name for one in path.parent.iterdir()], n=3)
        raise CrossinError(
            "there is no such file" + (f"; near it are: {', '.join(near)}" if near else ""),
            file=path,
            hint=f"check `path`, which is relative to the data folder {data}",
        )
    shards = sorted(file for file in path.iterdir() if file.is_file() and _is_shard(file))
    if not shards:
        saved = any((path / name).exists() for name in ("dataset_info.json", "dataset_dict.json"))
        raise CrossinError(
            "this folder holds no .parquet or .jsonl file",
            file=path,
            hint="name it as `dataset`, not as `path`"
            if saved
            else "name a file, or a folder with such files",
        )
    return shards


def _is_shard(file: Path) -> bool:
    name = file.name.lower()
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return name.endswith(_SHARDS) and not name.startswith(".")


def _file(file: Path, wanted: Set[str]) -> Iterator[Batch]:
    try:
        with file.open("rb") as start:
            head = start.read(4)
        packing = next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)
        with pa.input_stream(str(file), compression=packing) as stream:
            if packing is None:
                if head == b"PAR1":
                    yield from _parquet(file, file, wanted)
                else:
                    yield from json_batches(stream, file)
                return
            opening = stream.read(4)
        with pa.input_stream(str(file), compression=packing) as stream:
            if opening != b"PAR1":
                yield from json_batches(stream, file)
                return
            # Parquet is read from its end, so it must be unpacked first.
            with tempfile.TemporaryFile() as unpacked:
                shutil.copyfileobj(stream, unpacked)
                yield from _parquet(pa.PythonFile(unpacked, mode="r"), file, wanted)
    except OSError as error:
        raise CrossinError(
            f"cannot be read: {error.strerror or error}",
            file=file,
            hint="check the path, or get the file again",
        ) from error


def _parquet(place: Any, file: Path, wanted: Set[str]) -> Iterator[Batch]:
    first = 0
    try:
        with pq.ParquetFile(place) as parquet:
            names = list(parquet.schema_arrow.names)
            chosen = _chosen(names, wanted)
            for records in parquet.iter_batches(batch_size=TABLE_BATCH, columns=chosen):
                yield _table_batch(file, first, pa.Table.from_batches([records]), names)
                first += len(records)
    except (pa.ArrowException, OSError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CrossinError(
            f"cannot be read as Parquet: {message}", file=file, row=first + 1, hint="make the file again"
        ) from error


def _chosen(names: list[str], wanted: Set[str]) -> list[str]:
    # A table without columns would have no rows, and its error would be about them.
    return [name for name in names if name in wanted] or names[:1]


def _table_batch(file: str | Path, first: int, table: pa.Table, names: list[str]) -> TableBatch:
    return TableBatch(file, np.arange(first, first + len(table)), table, names)


def _dataset(source: Source, data: Path, wanted: Set[str]) -> Iterator[Batch]:
    """The records of a dataset that the library `datasets` reads: of the hub, or in a folder."""
    require("data", "datasets")
    assert source.dataset is not None
    folder = data / source.dataset
    local = folder.is_dir()
    place: str | Path = folder if local else source.dataset
    try:
        found = _loaded(source, str(place), local)
    except CrossinError:
        raise
    except Exception as error:
        # The library and those below it raise errors of many kinds; to the user they are all one.
        message = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise CrossinError(
            f"the dataset cannot be loaded ({message})"
            if local
            else f"the dataset '{source.dataset}' cannot be had from the hub ({message})",
            file=folder if local else None,
            field=None if local else "dataset",
            hint="check `dataset`, `config` and `split`"
            if local
            else "check the name and the connection, or use a local file (`path`) or folder",
        ) from error
    names = list(found.column_names)
    found = found.select_columns(_chosen(names, wanted))
    first = 0
    for table in found.with_format("arrow").iter(batch_size=TABLE_BATCH):
        yield _table_batch(place, first, table, names)
        first += len(table)


def _loaded(source: Source, place: str, local: bool) -> Any:
    import datasets

    saved = local and any((Path(place) / name).exists() for name in ("state.json", "dataset_dict.json"))
    if not saved:
        return datasets.load_dataset(place, source.config, split=source.split)
    found = datasets.load_from_disk(place)
    if not isinstance(found, dict):
        return found
    if source.split not in found:
        raise CrossinError(
            f"the dataset has no split '{source.split}'; it has: {', '.join(sorted(found))}",
            file=place,
            field="split",
            hint="name one of them",
        )
    return found[source.split]
