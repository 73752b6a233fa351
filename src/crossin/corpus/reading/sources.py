"""The records of a recipe's source, in batches: a file, a folder of files, or a dataset."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.corpus.reading.batch import Batch
from crossin.corpus.reading.records import TABLE_BATCH, columns_to_read, kind_of_name, read_batches
from crossin.corpus.spec import Source

_SHARDS = ("parquet", "jsonl", "ndjson", "csv")


def read_source(
    source: Source, data: Path, columns: Set[str], typed: Set[str] = frozenset()
) -> Iterator[Batch]:
    """All records of a source in their order, in batches of one file each; paths are relative to `data`.

    columns, typed: as in `read_batches`. Raises CrossinError, with the file and where it can the row and
    line, for what cannot be read.
    """
    if source.path is None:
        yield from _dataset(source, data, columns)
        return
    for file in _files(data / source.path, data):
        yield from read_batches(file, columns, typed)


def _files(path: Path, data: Path) -> list[Path]:
    """The file at `path`, or the shards in the folder there, by name."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        near = []
        if path.parent.is_dir():
            near = difflib.get_close_matches(path.name, [one.name for one in path.parent.iterdir()], n=3)
        raise CrossinError(
            "there is no such file" + (f"; similar names: {', '.join(near)}" if near else ""),
            file=path,
            hint=f"check `path`, which is relative to the data folder {data}",
        )
    shards = sorted(
        file
        for file in path.iterdir()
        if file.is_file() and kind_of_name(file.name) in _SHARDS and not file.name.startswith(".")
    )
    if not shards:
        saved = any((path / name).exists() for name in ("dataset_info.json", "dataset_dict.json"))
        raise CrossinError(
            f"this folder holds no files of rows (.{', .'.join(_SHARDS)})",
            file=path,
            hint="name it as `dataset`, not as `path`"
            if saved
            else "name a file, or a folder with such files",
        )
    return shards


def _dataset(source: Source, data: Path, columns: Set[str]) -> Iterator[Batch]:
    """The records of a dataset that the library `datasets` reads: of the hub, or in a folder."""
    require("data", "datasets")
    assert source.dataset is not None
    folder = data / source.dataset
    local = folder.is_dir()
    place = str(folder) if local else source.dataset
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
    found = found.select_columns(columns_to_read(names, columns))
    first = 0
    for table in found.with_format("arrow").iter(batch_size=TABLE_BATCH):
        yield Batch.of_table(place, first, table, names)
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
