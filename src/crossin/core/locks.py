"""Locks between processes (flock) on a file or folder itself: no lock file is left behind, and the kernel
releases a lock with its process.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossin.core.errors import CrossinError

try:
    import fcntl
except ImportError as error:
    raise CrossinError(
        "crossin runs on Linux and macOS only: this system lacks file locks (flock)",
        hint="on Windows, run it in WSL",
    ) from error


def lock(handle: int, *, shared: bool = False, wait: bool = False) -> bool | None:
    """Lock an open file or folder until it is closed; True if that worked, False if another process holds the
    lock. None on file systems without such locks (some network drives), which go unlocked.

    shared: beside other shared locks. wait: for other processes, instead of False.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(handle, kind if wait else kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def is_open(handle: int, path: Path) -> bool:
    """Whether `handle` is what lies at `path` now: whoever held its lock may have removed or replaced it."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(handle), now)


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for `path`, a file or folder that exists."""
    while True:
        handle = os.open(path, os.O_RDONLY)
        try:
            lock(handle, wait=True)
            if is_open(handle, path):
                yield
                return
        finally:
            os.close(handle)
