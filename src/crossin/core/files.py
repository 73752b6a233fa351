"""Files: atomic writes, hashes, and YAML, JSON and Parquet with errors that name the file."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
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


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the operating system's errors while writing to `path` into a CrossinError."""
    try:
        yield
    except OSError as error:
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
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path that replaces `path` when the block succeeds and is removed when it fails."""
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=TEMPORARY, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            # mkstemp makes files private; a result is as readable as any other file of the user's.
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


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
        raise CrossinError(f"cannot be read: {error.strerror}", file=path, hint=hint) from error


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
    """The value in a YAML file, by the safe loader."""
    import yaml

    try:
        return yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise CrossinError(
            f"is not YAML: {getattr(error, 'problem', error)}",
            file=path,
            row=mark.line + 1 if mark else None,
            hint="repair the line",
        ) from error


def read_parquet(path: Path, columns: list[str]) -> pyarrow.Table:
    """The named columns of a Parquet file; a file that lacks one of them is an error that names it."""
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
            return file.read(columns=columns)
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
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CrossinError(f"cannot be read: {error.strerror}", file=path, hint="check the path") from error


def sha256_of_value(value: Any) -> str:
    """The SHA-256 of a JSON value in its canonical form, in hexadecimal."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
