"""The alignment check with a cache: the mixtures of an experiment check the same texts."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import crossin.alignment
from crossin import __version__
from crossin.alignment.check import check_alignment
from crossin.alignment.measures import Columns
from crossin.core.errors import CrossinError
from crossin.core.files import TEMPORARY, atomic_path
from crossin.core.formats import FIELDS
from crossin.core.locks import lock
from crossin.core.progress import Progress, silent
from crossin.core.user_cache import ALIGNMENT, cache_home, limit_checks
from crossin.languages import scripts

# Fewer rows are checked in less than a second.
_WORTH_KEEPING = 1000
# Where the metadata of a file holds the codes and notes.
_ABOUT = b"crossin"


class Checked(NamedTuple):
    """What is wrong with each of n rows: `reason`, uint8 (n,), is 0 for nothing, else 1 + an index into
    `reasons`, which are codes. notes: on the pair of files.
    """

    reason: npt.NDArray[np.uint8]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]


def checked(
    pivot: Columns,
    other: Columns,
    pivot_language: str,
    language: str,
    place: npt.NDArray[np.integer],
    *,
    progress: Progress = silent,
) -> Checked:
    """What `check_alignment` finds, from the user's cache folder where the same rows were checked before.

    The name of a file there is the hash of the rows' texts, their places and all else that decides the
    findings. Of several processes that want the same, one checks and the others wait. A damaged file is
    checked again; a cache that cannot be written is not used.
    """

    def check() -> Checked:
        found = check_alignment(pivot, other, pivot_language, language, place, progress=progress)
        return Checked(found.reason, found.reasons, found.notes)

    if len(place) <= _WORTH_KEEPING:
        return check()
    name = _key(pivot, other, pivot_language, language, place)
    file = cache_home() / ALIGNMENT / f"{name}.parquet"
    with _alone(file):
        found = _read(file, len(place))
        if found is None:
            found = check()
            with suppress(CrossinError):
                _write(file, found)
    with suppress(CrossinError):
        limit_checks(file)
    return found


def _key(
    pivot: Columns, other: Columns, pivot_language: str, language: str, place: npt.NDArray[np.integer]
) -> str:
    """The SHA-256 of all that decides the findings."""
    digest = hashlib.sha256("\n".join((_rules(), pivot_language, language, "")).encode())
    for columns in (pivot, other):
        for field in FIELDS:
            texts = columns[field].cast(pa.large_binary())
            digest.update(np.asarray(pc.binary_length(texts)).astype("<i8").tobytes())
            start, end = np.frombuffer(texts.buffers()[1], np.int64)[
                [texts.offset, texts.offset + len(texts)]
            ]
            digest.update(memoryview(texts.buffers()[2] or b"")[start:end])
    digest.update(place.astype("<i8").tobytes())
    return digest.hexdigest()


@cache
def _rules() -> str:
    """The versions of the check and of what it computes with; its source, since an editable installation
    changes without a new version.
    """
    source = hashlib.sha256()
    for file in (*sorted(Path(crossin.alignment.__file__).parent.glob("*.py")), Path(scripts.__file__)):
        source.update(file.read_bytes())
    versions = (__version__, np.__version__, pa.__version__, platform.python_version(), platform.machine())
    return "\n".join((*versions, source.hexdigest()))


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for `file`, if the cache can be written."""
    waiting = file.with_name(f".{file.name}.lock{TEMPORARY}")
    try:
        waiting.parent.mkdir(parents=True, exist_ok=True)
        handle: int | None = os.open(waiting, os.O_CREAT | os.O_RDWR, 0o666)
    except OSError:
        handle = None
    try:
        if handle is not None:
            lock(handle, wait=True)
        yield
    finally:
        # Those that wait have it open, and find the file when they go on.
        if handle is not None:
            with suppress(OSError):
                waiting.unlink()
            os.close(handle)


def _write(file: Path, found: Checked) -> None:
    about = json.dumps({"reasons": found.reasons, "notes": found.notes})
    table = pa.table({"reason": found.reason}).replace_schema_metadata({_ABOUT: about})
    with atomic_path(file) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)


def _read(file: Path, count: int) -> Checked | None:
    """The findings on `count` rows in the file, or None where it is missing or damaged."""
    try:
        table = pq.read_table(file, page_checksum_verification=True)
        about = json.loads((table.schema.metadata or {})[_ABOUT])
        reason = table["reason"].to_numpy()
        found = Checked(reason, tuple(about["reasons"]), tuple(about["notes"]))
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError):
        return None
    whole = len(reason) == count and reason.dtype == np.uint8 and reason.max(initial=0) <= len(found.reasons)
    return found if whole else None
