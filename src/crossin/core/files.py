"""Files: atomic writes that outlive a power cut, hashes, and YAML, JSON and Parquet with errors that name the
file.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError

if TYPE_CHECKING:
    import pyarrow

# How the names of unfinished files end; they begin with a dot.
TEMPORARY = ".tmp"
_CANNOT_WRITE = {
    errno.ENOSPC: "free some space on that disk, or choose another folder with --out",
    errno.EROFS: "that disk is read-only: choose another folder with --out",
    errno.EACCES: "you may not write there: choose another folder with --out",
    errno.EPERM: "you may not write there: choose another folder with --out",
    errno.EDQUOT: "your quota is used up: free some space, or choose another folder with --out",
}
# What keeps names from the disk; other errors mean that a file system does not sync folders.
_DISK_FAILED = {errno.EIO, errno.ENOSPC, errno.EDQUOT}
_CHUNK = 1 << 20


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing to `path` into a CrossinError. An error that names a
    file elsewhere (neither `path`, nor below or above it) is reported as a failed read of that file.
    """
    try:
        yield
    except OSError as error:
        if (other := _other_file(path, error)) is not None:
            raise _unreadable(other, error) from error
        hint = _CANNOT_WRITE.get(error.errno or 0, "choose another folder with --out")
        raise CrossinError(f"cannot write: {error.strerror or error}", file=path, hint=hint) from error


def check_writable(folder: Path) -> None:
    """Raise CrossinError where no file could be written in a folder, which need not exist yet."""
    with writing(folder):
        there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        if not os.access(there, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


@contextmanager
def reading(path: Path, hint: str = "check the path") -> Iterator[None]:
    """Turn the operating system's errors while reading `path` into a CrossinError."""
    try:
        yield
    except OSError as error:
        raise _unreadable(path, error, hint) from error


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path that replaces `path` when the block succeeds and is removed when it fails. Afterwards
    the file and its name are on the disk, whatever happens to the machine.
    """
    with writing(path):
        make_folder(path.parent)
        temporary, mode = _new_file(path)
        try:
            yield temporary
            # Some libraries write a file of their own in its place, which nobody else may read.
            if temporary.stat().st_mode != mode:
                temporary.chmod(mode)
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
        finally:
            temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it where they are missing, each with its name on the disk."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync(one.parent)


def sync(path: Path) -> None:
    """Wait until a file's contents, or a folder's names, are on the disk. Some file systems cannot do so for
    folders, whose names are then as safe as they make them.
    """
    folder = path.is_dir()
    try:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if not folder or error.errno in _DISK_FAILED:
            raise


def sync_tree(folder: Path) -> None:
    """`sync` for everything below a folder, and the folder itself."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def copy_file(source: Path, target: Path) -> None:
    """Copy a file's contents, atomically; the copy is as readable as any other file of the user's."""
    with atomic_path(target) as temporary, temporary.open("wb") as file:
        for chunk in _chunks(source):
            file.write(chunk)


def common_mode(folder: Path) -> int:
    """The mode of a new file in a folder. The process's umask can only be read by changing it, for all of its
    threads.
    """
    probe, mode = _new_file(folder / "mode")
    probe.unlink()
    return mode


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented UTF-8 JSON with sorted keys, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_parquet(path: Path, table: pyarrow.Table) -> None:
    """Write an Arrow table as Parquet, atomically; the same table gives the same bytes."""
    import pyarrow.parquet

    with atomic_path(path) as temporary:
        pyarrow.parquet.write_table(table, temporary, compression="zstd")


def read_text(path: Path, hint: str = "check the path") -> str:
    """The UTF-8 text of a file."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CrossinError("is not UTF-8 text", file=path, hint="save the file as UTF-8") from error
    except OSError as error:
        raise _unreadable(path, error, hint) from error


def read_json(path: Path) -> Any:
    """The value in a JSON file."""
    try:
        # Some editors begin a file with a byte-order mark.
        return json.loads(read_text(path).removeprefix("\ufeff"))
    except json.JSONDecodeError as error:
        raise CrossinError(
            f"is not JSON: {error.msg}", file=path, row=error.lineno, hint="repair or remove the file"
        ) from error


def read_yaml(path: Path) -> Any:
    """The value in a YAML file, by the safe loader; a key that is there twice is an error."""
    import yaml

    class Loader(yaml.SafeLoader):
        def compose_mapping_node(self, anchor: Any) -> Any:
            node = super().compose_mapping_node(anchor)
            seen = set()
            for key, _ in node.value:
                # YAML itself would take the last one.
                if isinstance(key, yaml.ScalarNode) and (key.tag, key.value) in seen:
                    raise yaml.MarkedYAMLError(
                        problem=f"the key '{key.value}' is there twice", problem_mark=key.start_mark
                    )
                seen.add((key.tag, key.value))
            return node

    try:
        return yaml.load(read_text(path), Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CrossinError(
            f"is not YAML: {getattr(error, 'problem', error)}",
            file=path,
            row=mark.line + 1 if mark else None,
            hint="repair the line",
        ) from error


def read_parquet(path: Path, columns: list[str], optional: Collection[str] = ()) -> pyarrow.Table:
    """The named columns of a Parquet file; a file that lacks one of them is an error that names it.
    `optional` columns are read where the file has them.
    """
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for column in columns:
                if column not in file.schema_arrow.names:
                    raise CrossinError(
                        "lacks this column",
                        file=path,
                        field=column,
                        hint="make the file again with this version of crossin",
                    )
            present = [column for column in optional if column in file.schema_arrow.names]
            return file.read(columns=[*columns, *present])
    except (OSError, pyarrow.ArrowInvalid) as error:
        raise CrossinError(
            "cannot be read as Parquet", file=path, hint="make it again, or check the path"
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal; of a folder, over its files' names and hashes."""
    if path.is_dir():
        return sha256_of_value(
            {str(p.relative_to(path)): sha256(p) for p in sorted(path.rglob("*")) if p.is_file()}
        )
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_value(value: Any) -> str:
    """The SHA-256 of a JSON value in its canonical form, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _new_file(path: Path) -> tuple[Path, int]:
    """A new temporary file next to `path`, and its mode, which the system has made by the user's umask."""
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}{TEMPORARY}")
        try:
            handle = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            continue
        mode = os.fstat(handle).st_mode
        os.close(handle)
        return temporary, mode


def _chunks(path: Path) -> Iterator[bytes]:
    with reading(path):
        file = path.open("rb")
    with file:
        while True:
            with reading(path):
                chunk = file.read(_CHUNK)
            if not chunk:
                return
            yield chunk


def _unreadable(path: Path, error: OSError, hint: str = "check the path") -> CrossinError:
    return CrossinError(f"cannot be read: {error.strerror or error}", file=path, hint=hint)


def _other_file(path: Path, error: OSError) -> Path | None:
    """The file that an error names, unless it has to do with writing to `path`."""
    names = [
        name for name in (error.filename, error.filename2) if isinstance(name, str | bytes | os.PathLike)
    ]
    found = [Path(os.fsdecode(name)) for name in names]
    if not found or any(_belongs(one, path) for one in found):
        return None
    return found[0]


def _belongs(name: Path, target: Path) -> bool:
    """Whether `name` is `target`, below or above it, or a file that exists while `target` is written."""
    name, target = (one.parent.resolve() / one.name for one in (name, target))
    if name == target or name in target.parents or target in name.parents:
        return True
    beside = name.name.startswith(f".{target.name}.") and name.name.endswith(TEMPORARY)
    return name.parent == target.parent and (beside or name.name == f"{target.name}-journal")
