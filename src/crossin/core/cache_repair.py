"""Recovers a damaged cache: the readable part goes into a new file."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from crossin.core.cache import APPLICATION, MAGIC, TIMEOUT_SECONDS, Cache
from crossin.core.files import TEMPORARY, copy_file, reading, sync, writing
from crossin.core.locks import alone_with

# A range of keys that cannot be read is divided up to this many hexadecimal digits.
_DEEPEST = 4


def rebuild_if_damaged(path: Path) -> str | None:
    """Rebuild the cache `path` where it is damaged; the damaged file stays next to it. Of several processes
    one rebuilds, and the others wait for it and find the cache sound.

    Returns a message for the user, or None where the cache is sound or missing.
    """
    # Without the lock first: a sound file is not to be waited for.
    if not path.exists() or _is_sound(path):
        return None
    with reading(path), alone_with(path):
        return None if _is_sound(path) else _rebuild(path)


def _rebuild(path: Path) -> str:
    # A name of its own, for file systems without locks.
    rebuilt = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    saved = 0
    try:
        with Cache(rebuilt) as cache:
            for pairs in _readable(path):
                cache.put(pairs)
                saved += len(pairs)
        with writing(path):
            damaged = _set_aside(path)
            # A journal that belongs to the damaged file must not be played into the new one. The path itself
            # is never missing: another process would begin an empty cache there.
            path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
            rebuilt.replace(path)
            sync(path.parent)
    finally:
        rebuilt.unlink(missing_ok=True)
    return (
        f"the cache {path} was damaged: {saved:,} answers were recovered; the others are requested again. "
        f"The damaged file is {damaged.name}"
    )


def _set_aside(path: Path) -> Path:
    """Give the damaged file a second name; an earlier one keeps its own."""
    names = (f"{path.name}.damaged{number or ''}" for number in count())
    damaged = next(one for name in names if not (one := path.with_name(name)).exists())
    try:
        damaged.hardlink_to(path)
    except OSError:
        # A file system without hard links.
        copy_file(path, damaged)
    return damaged


def _is_sound(path: Path) -> bool:
    """Whether a file can be read to its end; a file that is not a cache of ours counts as sound."""
    with reading(path), path.open("rb") as file:
        head = file.read(72)
    if not head.startswith(MAGIC) or head[68:] != APPLICATION.to_bytes(4):
        return True
    database = sqlite3.connect(path, timeout=TIMEOUT_SECONDS)
    try:
        database.execute("SELECT count(value) FROM pairs WHERE key = ''").fetchone()
        return bool(database.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.OperationalError:
        # Not damaged, but in use or forbidden, which opening it reports.
        return True
    except sqlite3.DatabaseError:
        return False
    finally:
        database.close()


def _readable(path: Path) -> Iterator[dict[str, Any]]:
    """What can be read of a damaged cache. Keys are spread evenly (they are hashes), so the range around a
    damaged page is divided until little more than that page is lost.
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
