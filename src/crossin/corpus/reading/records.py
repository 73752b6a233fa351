"""The records of a file (JSON, JSON lines, CSV or Parquet, plain or packed as .gz or .zst), of a folder of
files, or of a dataset.

`read_records` gives them one by one, the others in batches of columns for large corpora.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.suggestions import nearest
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.csv_records import csv_batches
from crossin.corpus.reading.text_records import json_batches
from crossin.corpus.reading.trees import with_trees
from crossin.corpus.spec import Source

_TABLE_BATCH = 16_384
_IN_MEMORY = 1 << 24
_SHARDS = ("parquet", "jsonl", "ndjson", "csv", "tsv")
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
    *,
    lenient: bool = False,
) -> Iterator[Batch]:
    """The records of a file in batches, as `read_records`; those of a file whose rows are the messages of
    trees are the trees.

    typed: the columns of a CSV file that become numbers or truth values where all their values are such.
    The content decides between JSON and Parquet, the name (.csv, .tsv) on CSV. lenient: a line or bytes that
    cannot be read are left to the caller to count (`json_batches`).
    """
    yield from with_trees(_batches(file, columns, typed, names, lenient))


def _batches(
    file: Path, columns: Set[str] | None, typed: Set[str], names: Sequence[str], lenient: bool
) -> Iterator[Batch]:
    with unpacked(file) as stream:
        parquet = stream.read(4) == b"PAR1"
    if parquet:
        yield from _parquet(file, _packing(file), columns)
        return
    kind = kind_of_name(file.name)
    with unpacked(file) as stream:
        if kind in ("csv", "tsv"):
            yield from csv_batches(
                stream, file, tabs=kind == "tsv", typed=typed, names=names, lenient=lenient
            )
        else:
            yield from json_batches(stream, file, lenient=lenient)


def read_object(file: Path) -> dict[str, Any]:
    """The object that a JSON file holds, plain or packed, whole in memory.

    Raises CrossinError where the file cannot be read, is not JSON, or holds something else.
    """
    with unpacked(file) as stream:
        content = stream.read()
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else None
        message = f"is not JSON: {getattr(error, 'msg', error)}"
        hint = "get the file again: it may have been cut"
        raise CrossinError(message, file=file, row=line, hint=hint) from error
    if not isinstance(found, dict):
        raise CrossinError("expected a JSON object", file=file, hint="get the file again")
    return found


@contextmanager
def unpacked(file: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked where it is packed; the content decides. Raises CrossinError where it
    cannot be read, also while the block reads it.
    """
    try:
        with pa.input_stream(str(file), compression=_packing(file)) as stream:
            yield stream
    except OSError as error:
        raise CrossinError(
            f"cannot be read: {error.strerror or error}",
            file=file,
            hint="check the path, or get the file again",
        ) from error


def _packing(file: Path) -> str | None:
    with file.open("rb") as start:
        head = start.read(4)
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), None)


def kind_of_name(name: str) -> str:
    """The last ending of a file's name without the dot (`jsonl`), whatever it is packed as; lower case."""
    name = name.lower()
    for ending in _PACKED:
        name = name.removesuffix(ending)
    return Path(name).suffix.removeprefix(".")


def _columns_to_read(names: list[str], wanted: Set[str] | None) -> list[str]:
    """The columns of a table that are read."""
    # A table without columns would have no rows, and its error would be about them.
    return [name for name in names if wanted is None or name in wanted] or names[:1]


def _parquet(file: Path, packing: str | None, columns: Set[str] | None) -> Iterator[Batch]:
    first = 0
    try:
        with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as unpacked:
            if packing is not None:
                # Parquet is read from its end, so it must be unpacked first.
                with pa.input_stream(str(file), compression=packing) as stream:
                    shutil.copyfileobj(stream, unpacked)
            with pq.ParquetFile(pa.PythonFile(unpacked, mode="r") if packing else file) as parquet:
                names = list(parquet.schema_arrow.names)
                chosen = _columns_to_read(names, columns)
                for records in parquet.iter_batches(batch_size=_TABLE_BATCH, columns=chosen):
                    yield Batch.of(file, first, pa.Table.from_batches([records]), names)
                    first += len(records)
    except (pa.ArrowException, OSError) as error:
        message = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CrossinError(
            f"cannot be read as Parquet: {message}", file=file, row=first + 1, hint="make the file again"
        ) from error


def read_source(
    source: Source, data: Path, columns: Set[str], typed: Set[str] = frozenset()
) -> Iterator[Batch]:
    """All records of a source in their order, in batches of one file each; paths are relative to `data`.

    columns, typed: as in `read_batches`, which is lenient here. Raises CrossinError, with the file and where
    it can the row and line, for what cannot be read.
    """
    if source.path is None:
        yield from with_trees(_dataset(source, data, columns))
        return
    # An absolute path, such as the one that `translate` is given, is not relative to a recipe's data.
    relative = not Path(source.path).is_absolute()
    hint = f"check `path`, which is relative to the data folder {data}" if relative else "check the path"
    for file in _files(data / source.path, hint):
        yield from read_batches(file, columns, typed, lenient=True)


def _files(path: Path, hint: str) -> list[Path]:
    """The file at `path`, or the shards in the folder there, by name."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        others = [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else []
        # Without their endings, which make any two names alike.
        stems = {name: Path(name).stem for name in others}
        likely = nearest(path.stem, stems.values(), 3)
        near = [name for stem in likely for name in stems if stems[name] == stem][:3]
        raise CrossinError(
            "there is no such file" + (f"; similar names: {', '.join(near)}" if near else ""),
            file=path,
            hint=hint,
        )
    shards = sorted(
        file
        for file in path.iterdir()
        if file.is_file() and kind_of_name(file.name) in _SHARDS and not file.name.startswith(".")
    )
    if not shards:
        saved = any((path / name).exists() for name in ("dataset_info.json", "dataset_dict.json"))
        hint = "name a file, or a folder with such files"
        if saved:
            hint = "save it as Parquet, or name it as `dataset` in a recipe"
        raise CrossinError(
            f"this folder holds no files of rows (.{', .'.join(_SHARDS)})", file=path, hint=hint
        )
    return shards


def _dataset(source: Source, data: Path, columns: Set[str]) -> Iterator[Batch]:
    """The records of a dataset that the library `datasets` reads: of the hub, or in a folder."""
    require("data", "datasets")
    assert source.dataset is not None
    local = (data / source.dataset).is_dir()
    place = str(data / source.dataset) if local else source.dataset
    try:
        found = _loaded(source, place, local)
    except CrossinError:
        raise
    except Exception as error:
        # The library and those below it raise errors of many kinds; to the user they are all one.
        message = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        raise CrossinError(
            f"the dataset '{source.dataset}' cannot be loaded ({message})",
            field="dataset",
            hint="check `dataset`, `config`, `split` and the connection, or use a local file (`path`)",
        ) from error
    names = list(found.column_names)
    found = found.select_columns(_columns_to_read(names, columns))
    first = 0
    for table in found.with_format("arrow").iter(batch_size=_TABLE_BATCH):
        yield Batch.of(place, first, table, names)
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
