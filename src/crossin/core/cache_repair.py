"""Recovers a damaged cache: the readable part goes into a new file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossin.core.cache import APPLICATION, MAGIC, TIMEOUT_SECONDS, Cache
from crossin.core.files import writing

# A range of keys that cannot be read is divided up to this many hexadecimal digits.
_DEEPEST = 4


def rebuild_if_damaged(path: Path) -> str | None:
    """Rebuild the cache `path` where it is damaged; the damaged file stays next to it.

    Returns a message for the user, or None where the cache is sound or missing.
    """
    if not path.exists() or _is_sound(path):
        return None
    damaged = path.with_name(f"{path.name}.damaged")
    rebuilt = path.with_name(f".{path.name}.tmp")
    rebuilt.unlink(missing_ok=True)
    with Cache(rebuilt) as cache:
        saved = 0
        for pairs in _readable(path):
            cache.put(pairs)
            saved += len(pairs)
    with writing(path):
        path.replace(damaged)
        # A journal that belongs to the damaged file must not be played into the new one.
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        rebuilt.replace(path)
    return (
        f"the cache {path} was damaged: {saved:,} answers were recovered; the others are requested again. "
        f"The damaged file is {damaged.name}"
    )


def _is_sound(path: Path) -> bool:
    """Whether a file can be read to its end; a file that is not a cache of ours counts as sound."""
    with writing(path), path.open("rb") as file:
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
