"""What a run reads, as a hash that changes whenever any of it does."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, sha256, sha256_of_value
from crossin.core.formats import CLAIM, DATA_FOLDER, MANIFEST

# In the names of databases (caches, usage) and what SQLite keeps beside them. No stage reads them as data.
_DATABASE = ".sqlite"


def input_hash(path: Path) -> str:
    """The hash that a manifest holds of an input: of a file, or of all files in a folder.

    A folder with a manifest has the manifest's hash for as long as its files are those that the manifest
    lists; a file that was edited, added or removed since makes it another input. Databases, and folders of
    other stages below it, do not count, so that results may lie below an input. Raises CrossinError for a
    stage that was interrupted, where data that the manifest lists are missing, and for a changed file of a
    model that crossin downloaded.
    """
    if not path.is_dir():
        return sha256(path)
    manifest = path / MANIFEST
    if (path / CLAIM).exists() and not manifest.exists():
        raise CrossinError(
            "this folder is not finished: the command that makes it was interrupted, or is still running",
            file=path,
            hint="run that command again, which resumes, and then this one",
        )
    record = read_json(manifest) if manifest.exists() else None
    listed, own = _listed(record)
    names = files_in(path)
    if listed is None:
        return sha256_of_value(hashes_of(path, names))
    there = {name for name in names if not _is_hidden(name)} - {MANIFEST, CLAIM}
    there |= {name for name in listed if (path / name).is_file()}
    for name in listed:
        if name not in there and (own or name.startswith(f"{DATA_FOLDER}/")):
            raise CrossinError(
                "this file is missing, which the folder's manifest lists",
                file=path / name,
                hint=f"remove {path} and make it again, or remove its {MANIFEST} to use what is there",
            )
    found = hashes_of(path, sorted(there))
    if found == listed:
        return sha256(manifest)
    changed = [name for name in listed if name in found and found[name] != listed[name]]
    if own and changed:
        raise CrossinError(
            "this file is damaged, or was edited: it is not the one that was downloaded",
            file=path / changed[0],
            hint=f"remove {path} and run again; edit a copy in a folder of your own",
        )
    return sha256_of_value({MANIFEST: sha256(manifest), **found})


def files_in(folder: Path) -> list[str]:
    """The files below a folder, relative to it, without databases and the folders of stages below it."""
    found = []
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not _is_stage(here / name)]
        names = (name for name in files if _DATABASE not in name and (here / name).is_file())
        found += [(here / name).relative_to(folder).as_posix() for name in names]
    return sorted(found)


def refuse_within(path: Path | None, inputs: Mapping[str, Path], out: Path, field: str) -> None:
    """Raise CrossinError where the file `path`, which a run writes, lies in the folder of one of its inputs:
    it would make that another input. In the run's own folder it may lie.
    """
    if path is None or _DATABASE in path.name or path.resolve().is_relative_to(out.resolve()):
        return
    for name, place in inputs.items():
        if place.is_dir() and path.resolve().is_relative_to(place.resolve()):
            raise CrossinError(
                f"lies in the folder of the input '{name}', whose files decide the result",
                file=path,
                field=field,
                hint=f"name a file outside of that folder, or one that ends in {_DATABASE}",
            )


def hashes_of(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of files by name. Hashing releases the GIL."""
    names = list(names)
    with ThreadPoolExecutor() as threads:
        return dict(zip(names, threads.map(lambda name: sha256(folder / name), names), strict=True))


def _listed(record: Any) -> tuple[dict[str, str] | None, bool]:
    """The hashes of files in a manifest (None where it is another program's), and whether it is that of a
    download.
    """
    if isinstance(record, dict):
        for key, own in (("outputs", False), ("sha256", True)):
            if isinstance(record.get(key), dict):
                return record[key], own
    return None, False


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in Path(name).parts)


def _is_stage(folder: Path) -> bool:
    return (folder / CLAIM).exists() or (folder / MANIFEST).exists()
