"""A store of JSON values by key in one file, for what was dear to compute: a model's answers, translations.

It outlives a kill at any moment, and processes may share it.

It is SQLite with its rollback journal rather than a write-ahead log: nearly as quick at the few writes a
second that there are, one file when at rest, and safe where a log's shared memory is not (network drives).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import sha256_of_value, writing

# What tells our files from other programs' ("xing", in ASCII), and this form of them from later ones.
_APPLICATION = 0x78696E67
_FORM = 1
_MEND = "name another file; or remove this one, and what it held is asked again"
# How every SQLite database begins.
_MAGIC = b"SQLite format 3\0"
# Another process holds the file for milliseconds; one that was stopped in the midst of a write, for longer.
_PATIENCE_SECONDS = 60
# A range of keys that cannot be read is cut to so many hexadecimal digits.
_DEEPEST = 4
# SQLite takes at least so many values in one question.
_AT_ONCE = 900


def key_of(value: Any) -> str:
    """The key of whatever decides a value, as a JSON value: the SHA-256 of its canonical form."""
    return sha256_of_value(value)


class Store:
    """The store in the file `path`, which is made where there is none.

    Every method raises CrossinError where the file is damaged, another program's, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        _refuse_other_files(path)
        with self._telling():
            # Transactions begin where we say so, not where the library thinks fit.
            self._file = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None)
        try:
            with self._telling():
                self._prepare()
        except CrossinError:
            self._file.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of those of `keys` that are here."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Any] = {}
        with self._telling():
            for start in range(0, len(wanted), _AT_ONCE):
                some = wanted[start : start + _AT_ONCE]
                marks = ",".join("?" * len(some))
                rows = self._file.execute(f"SELECT key, value FROM pairs WHERE key IN ({marks})", some)
                found |= {key: json.loads(value) for key, value in rows}
        return found

    def put(self, pairs: Mapping[str, Any]) -> None:
        """Keep values by their keys, all or none of them; when this returns, they are on the disk.

        A key that is here already keeps its value: somebody may have gone on from it.
        """
        lines = [(key, json.dumps(value)) for key, value in pairs.items()]
        with self._telling(), self._writing():
            self._file.executemany("INSERT OR IGNORE INTO pairs VALUES (?, ?)", lines)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def _prepare(self) -> None:
        self._file.execute("PRAGMA synchronous = FULL")
        if self._is_ours():
            return
        with self._writing():
            # Another process may have been quicker.
            if not self._is_ours():
                self._file.execute("CREATE TABLE pairs (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
                self._file.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._file.execute(f"PRAGMA user_version = {_FORM}")

    def _is_ours(self) -> bool:
        """Whether the file is a store; False for an empty file."""
        [application] = self._file.execute("PRAGMA application_id").fetchone()
        [form] = self._file.execute("PRAGMA user_version").fetchone()
        [tables] = self._file.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if (application, form) == (_APPLICATION, _FORM):
            return True
        if application == _APPLICATION:
            raise CrossinError(
                "was made by a later version of crossin", file=self.path, fix="use that, or name another file"
            )
        if tables or application:
            raise CrossinError(
                "is another program's database", file=self.path, fix="name another file, or a new one"
            )
        return False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction. It asks for the right to write at once: who asks after reading may be refused."""
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back by itself where the disk is full.
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite refuses into a CrossinError that says what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CrossinError(
                f"cannot be used: {error}",
                file=self.path,
                fix="see that the disk has room, that you may write there, and that no other process has it",
            ) from error
        except (sqlite3.DatabaseError, ValueError) as error:
            raise CrossinError(
                f"is damaged, or no store of crossin's: {error}",
                file=self.path,
                fix=_MEND,
            ) from error


def rebuild_if_damaged(path: Path) -> str | None:
    """Make the store `path` anew from what can be read of it, where it is damaged; None where it is sound, or
    not there. The damaged file stays beside it.

    Returns what was found, in a sentence.
    """
    if not path.exists() or _is_sound(path):
        return None
    damaged = path.with_name(f"{path.name}.damaged")
    rebuilt = path.with_name(f".{path.name}.tmp")
    rebuilt.unlink(missing_ok=True)
    with Store(rebuilt) as store:
        saved = 0
        for pairs in _readable(path):
            store.put(pairs)
            saved += len(pairs)
    with writing(path):
        path.replace(damaged)
        # A journal that belongs to the damaged file must not be played into the new one.
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        rebuilt.replace(path)
    return (
        f"the store {path} was damaged: {saved:,} answers could be read and are in a new one; what else was "
        f"in it is asked again. The damaged file is {damaged.name}"
    )


def _is_sound(path: Path) -> bool:
    """Whether a file can be read through; one that does not begin as our stores do is not looked at."""
    with writing(path), path.open("rb") as file:
        head = file.read(72)
    if not head.startswith(_MAGIC) or head[68:] != _APPLICATION.to_bytes(4):
        return True
    file_of_pairs = sqlite3.connect(path, timeout=_PATIENCE_SECONDS)
    try:
        file_of_pairs.execute("SELECT count(value) FROM pairs WHERE key = ''").fetchone()
        return bool(file_of_pairs.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        # Not damaged, but in use or forbidden, which whoever opens it is told.
        return True
    except sqlite3.DatabaseError:
        return False
    finally:
        file_of_pairs.close()


def _readable(path: Path) -> Iterator[dict[str, Any]]:
    """The pairs that can be read of a damaged store: its keys are spread evenly, so the range of a key that
    lies on a damaged page is cut smaller and smaller until that page is all that is lost.
    """
    try:
        file = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    except sqlite3.DatabaseError:
        return
    try:
        prefixes = [f"{digit:x}" for digit in reversed(range(16))]
        while prefixes:
            prefix = prefixes.pop()
            try:
                rows = file.execute(
                    "SELECT key, value FROM pairs WHERE key >= ? AND key < ?", (prefix, prefix + "g")
                ).fetchall()
                yield {key: json.loads(value) for key, value in rows if isinstance(key, str)}
            except (sqlite3.DatabaseError, ValueError, TypeError):
                if len(prefix) < _DEEPEST:
                    prefixes += [f"{prefix}{digit:x}" for digit in reversed(range(16))]
    finally:
        file.close()


def _refuse_other_files(path: Path) -> None:
    """Refuse a file that is no database: SQLite would overwrite a very short one."""
    if path.is_file():
        with writing(path), path.open("rb") as file:
            begin = file.read(len(_MAGIC))
        if begin not in (b"", _MAGIC):
            raise CrossinError("is damaged, or no store of crossin's", file=path, fix=_MEND)
