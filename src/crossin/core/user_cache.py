"""The user's cache folder: downloaded models, the tokens of texts, and alignment checks. What is in it, and
removing it.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import TEMPORARY, read_json, reading, writing
from crossin.core.formats import MANIFEST
from crossin.core.locks import is_open, lock
from crossin.core.paths import as_path

MODELS, TOKENS, ALIGNMENT = "models", "tokens", "alignment"
UNFINISHED = ".unfinished"
# The most gigabytes of tokens: some ten million rows.
TOKENS_VARIABLE, _TOKENS_GB = "CROSSIN_TOKEN_CACHE_GB", 5.0
# The most bytes of alignment checks; one of 50,000 rows has about 3,000.
_CHECKS_BYTES = 100_000_000
# A temporary file of this age belongs to a process that was killed.
_OLD_SECONDS = 24 * 3600
# Locked until the process ends: what it uses.
_used: dict[tuple[int, int], int] = {}


@dataclass(frozen=True)
class CacheEntry:
    """What can be removed from the cache alone: its size in bytes, and when it was last used (Unix time)."""

    cache: str
    name: str
    paths: tuple[Path, ...]
    size: int
    used: float


def cache_home() -> Path:
    """The folder of all caches: CROSSIN_CACHE, or the user's cache directory."""
    from platformdirs import user_cache_path

    chosen = os.environ.get("CROSSIN_CACHE")
    return as_path(chosen) if chosen else user_cache_path("crossin")


def cache_entries() -> list[CacheEntry]:
    """What is in the cache: each model, each download that was cut off, all tokens and all checks."""
    home = cache_home()
    found = [
        _entry(MODELS, _model_name(folder), [folder]) for folder in _in(home / MODELS) if _is_ours(folder)
    ]
    for cache in (TOKENS, ALIGNMENT):
        if files := list(_files(home / cache)):
            name = "1 file" if len(files) == 1 else f"{len(files):,} files"
            found.append(_entry(cache, name, files))
    return found


def remove_entry(entry: CacheEntry) -> bool:
    """Remove it; False if another process uses it, or a part of it, which stays."""
    free = True
    for path in entry.paths:
        with writing(path):
            if path.is_dir():
                free &= _remove_folder(path)
            elif _is_free(path):
                path.unlink(missing_ok=True)
            else:
                free = False
    return free


def use(folder: Path) -> bool:
    """Keep a folder of the cache from being removed until this process ends; False if it is gone."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    status = os.fstat(handle)
    place = (status.st_dev, status.st_ino)
    lock(handle, shared=True, wait=True)
    there = is_open(handle, folder)
    if there and place not in _used:
        _used[place] = handle
    else:
        os.close(handle)
    with suppress(OSError):
        os.utime(folder)
    return there


def token_limit() -> int:
    """The most bytes that the cache of tokens may hold."""
    text = os.environ.get(TOKENS_VARIABLE, "")
    try:
        limit = float(text or _TOKENS_GB)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < float("inf"):
        raise CrossinError(
            f"expected a number of gigabytes, got '{text}'",
            field=TOKENS_VARIABLE,
            hint=f"for example {TOKENS_VARIABLE}=2, or 0 to keep no tokens",
        )
    return int(limit * 1e9)


def limit_tokens(used: Path) -> None:
    """Note that the file `used` of the tokens is in use now, and remove those that were used longest ago
    until the others are within the limit.
    """
    _limit(used, token_limit())


def limit_checks(used: Path) -> None:
    """As `limit_tokens`, for the file of an alignment check."""
    _limit(used, _CHECKS_BYTES)


def _limit(used: Path, most: int) -> None:
    """Keep the files beside `used` within `most` bytes."""
    with suppress(OSError):
        os.utime(used)
    left = most
    ages = []
    for path in _files(used.parent):
        with suppress(OSError):
            status = path.stat()
            ages.append((status.st_mtime, status.st_size, path))
    for _, size, path in sorted(ages, reverse=True):
        left -= size
        if (left < 0 or _is_temporary(path)) and _is_free(path):
            # A process that reads it just now keeps what it has opened.
            with suppress(OSError):
                path.unlink()


def _entry(cache: str, name: str, paths: list[Path]) -> CacheEntry:
    size, used = 0, 0.0
    for path in paths:
        for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
            with suppress(FileNotFoundError), reading(one):
                status = one.lstat()
                size += 0 if one.is_dir() else status.st_size
                used = max(used, status.st_mtime) if one == path else used
    return CacheEntry(cache, name, tuple(paths), size, used)


def _in(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        with reading(folder):
            yield from sorted(folder.iterdir())


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in _in(folder) if path.suffix == ".parquet" or _is_temporary(path))


def _is_ours(folder: Path) -> bool:
    """Whether a folder among the models was downloaded by crossin, and not put there by somebody."""
    return (folder / MANIFEST).exists() or (folder.is_dir() and folder.name.endswith(UNFINISHED))


def _model_name(folder: Path) -> str:
    if (folder / MANIFEST).exists():
        record = read_json(folder / MANIFEST)
        if isinstance(record, dict) and isinstance(record.get("model"), str):
            return str(record["model"])
    name = folder.name.removeprefix(".").replace("--", "/")
    if name.endswith(UNFINISHED):
        return f"{name.removesuffix(UNFINISHED)} (unfinished)"
    return name


def _remove_folder(folder: Path) -> bool:
    """Remove a model, or a download that was cut off; False if a process uses it, or downloads it now."""
    downloading = folder.parent / f"{folder.name.removesuffix(UNFINISHED)}.lock"
    locked = downloading if folder.name.endswith(UNFINISHED) and downloading.exists() else folder
    handle = os.open(locked, os.O_RDONLY)
    try:
        if lock(handle) is False:
            return False
        # Out of sight at once, so that no process finds half of it.
        gone = folder.with_name(
            f".{folder.name.removeprefix('.').removesuffix(UNFINISHED)}.{os.getpid()}{UNFINISHED}"
        )
        folder.replace(gone)
        shutil.rmtree(gone)
    finally:
        os.close(handle)
    return True


def _is_temporary(path: Path) -> bool:
    return path.name.startswith(".") and path.name.endswith(TEMPORARY)


def _is_free(path: Path) -> bool:
    """Whether no process is writing a file of the tokens or checks."""
    try:
        return not _is_temporary(path) or time.time() - path.stat().st_mtime > _OLD_SECONDS
    except FileNotFoundError:
        return True
