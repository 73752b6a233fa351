"""A persistent key-value cache (SQLite) for expensive results, such as a model's answers. Crash-safe; may be
shared between processes.

It uses SQLite's rollback journal, not a write-ahead log: nearly as fast at a few writes a second, one file
when idle, and safe on network drives, where a log's shared memory is not.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import check_writable, make_folder, reading, writing

# Marks our files ("xing", in ASCII), and the version of their layout.
APPLICATION = 0x78696E67
_LAYOUT = 1
_DAMAGED = "name another file; or remove this one, and its answers are requested again"
# How every SQLite database begins.
MAGIC = b"SQLite format 3\0"
# Another process holds the file for milliseconds; one that is stopped in the middle of a write, for longer.
TIMEOUT_SECONDS = 60
# SQLite allows at least this many values in one query.
_QUERY_KEYS = 900
# The writer puts at most this many values in one transaction.
_TRANSACTION_KEYS = 500


class Cache:
    """The cache in the file `path`, which is created where there is none.

    Every method raises CrossinError where the file is damaged, another program's, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with writing(path):
            make_folder(path.parent)
        _refuse_other_files(path)
        with self._explained():
            # We begin transactions ourselves.
            self._file = sqlite3.connect(path, timeout=TIMEOUT_SECONDS, isolation_level=None)
        try:
            with self._explained():
                self._prepare()
        except CrossinError:
            self._file.close()
            raise

    def __enter__(self) -> Cache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of those of `keys` that are in the cache."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Any] = {}
        with self._explained():
            for start in range(0, len(wanted), _QUERY_KEYS):
                some = wanted[start : start + _QUERY_KEYS]
                marks = ",".join("?" * len(some))
                rows = self._file.execute(f"SELECT key, value FROM pairs WHERE key IN ({marks})", some)
                found |= {key: json.loads(value) for key, value in rows}
        return found

    def put(self, pairs: Mapping[str, Any]) -> None:
        """Store values by their keys, all or none of them; when this returns, they are on the disk.

        A key that is in the cache keeps its value: another run may already depend on it.
        """
        lines = [(key, json.dumps(value)) for key, value in pairs.items()]
        with self._explained(), self._writing():
            self._file.executemany("INSERT OR IGNORE INTO pairs VALUES (?, ?)", lines)

    def remove(self, keys: Iterable[str]) -> None:
        """Forget the values of `keys`, for answers that turned out not to be any."""
        with self._explained(), self._writing():
            self._file.executemany("DELETE FROM pairs WHERE key = ?", [(key,) for key in keys])

    def is_empty(self) -> bool:
        """Whether it holds no value."""
        with self._explained():
            return self._file.execute("SELECT 1 FROM pairs LIMIT 1").fetchone() is None

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _prepare(self) -> None:
        self._file.execute("PRAGMA synchronous = FULL")
        if self._is_ours():
            return
        with self._writing():
            # Another process may have been faster.
            if not self._is_ours():
                self._file.execute("CREATE TABLE pairs (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
                self._file.execute(f"PRAGMA application_id = {APPLICATION}")
                self._file.execute(f"PRAGMA user_version = {_LAYOUT}")

    def _is_ours(self) -> bool:
        """Whether the file is a cache of ours; False for an empty file."""
        # In one statement: between two, another process may create the file's table.
        application, layout, tables = self._file.execute(
            "SELECT (SELECT application_id FROM pragma_application_id), "
            "(SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)"
        ).fetchone()
        if (application, layout) == (APPLICATION, _LAYOUT):
            return True
        if application == APPLICATION:
            raise CrossinError(
                "was created by a later version of crossin",
                file=self.path,
                hint="use that, or name another file",
            )
        if tables or application:
            raise CrossinError(
                "is another program's database", file=self.path, hint="name another file, or a new one"
            )
        return False

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction. It takes the write lock at once: after a read it could be refused."""
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
    def _explained(self) -> Iterator[None]:
        """Turn SQLite's errors into a CrossinError that says what to do."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise CrossinError(
                f"cannot be used: {error}",
                file=self.path,
                hint="check that the disk has space, that you may write there, and that no process holds it",
            ) from error
        except (sqlite3.DatabaseError, ValueError) as error:
            raise CrossinError(
                f"is damaged, or not a cache of crossin's: {error}",
                file=self.path,
                hint=_DAMAGED,
            ) from error


def check_cache(path: Path) -> None:
    """Raise CrossinError where no cache can be in the file `path`; nothing is written."""
    check_writable(path.parent)
    if path.is_dir():
        raise CrossinError("a folder, not a cache", file=path, hint="name a file in it with --cache")
    _refuse_other_files(path)


def _refuse_other_files(path: Path) -> None:
    """Refuse a file that is not a database: SQLite would overwrite a very short one."""
    if path.is_file():
        with reading(path), path.open("rb") as file:
            begin = file.read(len(MAGIC))
        if begin not in (b"", MAGIC):
            raise CrossinError("is damaged, or not a cache of crossin's", file=path, hint=_DAMAGED)


class CacheWriter:
    """Writes to the cache `path` in a thread of its own, so that nobody waits for the disk.

    Values that arrive during one transaction go together into the next: a kill loses those of the last
    milliseconds. Every method raises CrossinError once the cache cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._queue: SimpleQueue[tuple[str, Any] | Event | None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._write, name="crossin-cache-writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> CacheWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, key: str, value: Any) -> None:
        """Store a value soon: some milliseconds later it is on the disk."""
        if self._failure is not None:
            raise self._failure
        self._queue.put((key, value))

    def flush(self) -> None:
        """Wait until everything that was put is on the disk."""
        written = Event()
        self._queue.put(written)
        while not written.wait(0.1):
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        """Write what is queued, and stop."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _write(self) -> None:
        try:
            with Cache(self._path) as cache:
                while True:
                    taken = [self._queue.get()]
                    while len(taken) < _TRANSACTION_KEYS and not self._queue.empty():
                        taken.append(self._queue.get())
                    if values := dict(one for one in taken if isinstance(one, tuple)):
                        cache.put(values)
                    for one in taken:
                        if isinstance(one, Event):
                            one.set()
                    if None in taken:
                        return
        except BaseException as failure:
            self._failure = failure
