"""One column of texts in memory-mapped files, larger than memory, with few pages resident.

Arrow's IPC files would need less code, but cannot read a single text without mapping its neighbours, or give
resident pages back.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from crossin.core.errors import CrossinError
from crossin.core.files import writing

# Above this size texts are read one by one instead of through the map: the kernel maps megabytes around each
# page that is read, so random reads would make most of the file resident.
_LARGE = 32 * 2**20
_ROWS_AT_ONCE = 4096


class Texts:
    """The texts of one column, read-only: `<name>.offsets` (int64, one more than there are texts) and
    `<name>.bytes` (their UTF-8, concatenated). Any process may open it from `folder` and `name`.

    Raises CrossinError where the files do not exist or do not belong together.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self._maps: list[mmap.mmap] = []
        offsets = self._map(_offsets(folder, name))
        data = self._map(_bytes(folder, name))
        # The size of the UTF-8 in bytes.
        self.bytes = len(data)
        if len(offsets) % 8 or not len(offsets) or np.frombuffer(offsets, np.int64)[-1] != self.bytes:
            raise CrossinError(
                "this file of texts is damaged", file=_offsets(folder, name), hint="remove it and run again"
            )
        # All texts, without a copy; pages that are read stay resident until `release`.
        self.all = pa.LargeStringArray.from_buffers(
            len(offsets) // 8 - 1, pa.py_buffer(offsets), pa.py_buffer(data)
        )

    def __len__(self) -> int:
        return len(self.all)

    def __reduce__(self) -> tuple[type[Texts], tuple[Path, str]]:
        """Pickle the place: another process opens the files itself."""
        return Texts, (self.folder.absolute(), self.name)

    def take(self, indices: npt.NDArray[np.integer]) -> pa.LargeStringArray:
        """Copies of the texts at `indices` (each 0..len-1, in any order, repeats allowed)."""
        # Windows has no pread.
        if self.bytes <= _LARGE or not hasattr(os, "pread"):
            return pc.take(self.all, pa.array(indices))
        starts, _ = raw(self.all)
        sizes, path, parts = starts[indices + 1] - starts[indices], _bytes(self.folder, self.name), []
        try:
            # Opened each time: a corpus of many languages would run out of file handles.
            with path.open("rb", buffering=0) as file:
                for size, begin in zip(sizes.tolist(), starts[indices].tolist(), strict=True):
                    parts.append(os.pread(file.fileno(), size, begin))
        except OSError as error:
            raise _unreadable(path, error) from error
        # The offsets stay resident: reading them again for every take would cost more than the texts.
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        data = b"".join(parts)
        return pa.LargeStringArray.from_buffers(len(sizes), pa.py_buffer(offsets), pa.py_buffer(data))

    def slices(self, size: int = 1 << 16) -> Iterator[tuple[int, pa.LargeStringArray]]:
        """All texts in order, `size` at a time, with the index of the first, without a copy. The pages of a
        slice are given back when the next is read.
        """
        for start in range(0, len(self), size):
            yield start, self.all.slice(start, size)
            if self.bytes > _LARGE:
                self.release()

    def release(self) -> None:
        """Give the resident pages back to the system, which caches them for the next reader."""
        # Linux and most Unixes.
        if hasattr(mmap, "MADV_DONTNEED"):
            for one in self._maps:
                one.madvise(mmap.MADV_DONTNEED)

    def _map(self, path: Path) -> mmap.mmap | bytes:
        try:
            with path.open("rb") as file:
                # An empty file cannot be mapped.
                if not path.stat().st_size:
                    return b""
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _unreadable(path, error) from error
        self._maps.append(mapped)
        return mapped


class TextsWriter:
    """Writes one column of texts as a stream."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._size = folder, name, 0
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._offsets, self._bytes = (_new(path(folder, name)) for path in (_offsets, _bytes))
            self._offsets.write(np.zeros(1, np.int64).tobytes())

    def append(self, texts: Sequence[str] | pa.LargeStringArray) -> None:
        """Add texts at the end; a LargeStringArray without nulls goes in without a copy a text."""
        array = texts if isinstance(texts, pa.LargeStringArray) else pa.array(texts, pa.large_string())
        if not len(array):
            return
        offsets, data = raw(array)
        with writing(_bytes(self._folder, self._name)):
            self._bytes.write(data.data)
            self._offsets.write((offsets[1:] - offsets[0] + self._size).data)
        self._size += len(data)

    def close(self) -> Texts:
        """Complete the files and open them."""
        for file in (self._offsets, self._bytes):
            with writing(Path(file.name)):
                file.close()
        return Texts(self._folder, self._name)


def rows_of(columns: Sequence[pa.LargeStringArray]) -> Iterator[list[str]]:
    """The fields of each row from columns of the same length; null becomes empty."""
    for start in range(0, len(columns[0]), _ROWS_AT_ONCE):
        parts = [column.slice(start, _ROWS_AT_ONCE).to_pylist() for column in columns]
        for fields in zip(*parts, strict=True):
            yield [field or "" for field in fields]


def raw(array: pa.LargeStringArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """The offsets of an array's texts (one more than there are) and the bytes between the first and the last,
    both without a copy.
    """
    _, offsets_buffer, data_buffer = array.buffers()
    if not len(array):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    offsets = np.frombuffer(offsets_buffer, np.int64, len(array) + 1, array.offset * 8)
    data = np.frombuffer(data_buffer or b"", np.uint8)
    return offsets, data[offsets[0] : offsets[-1]]


def _offsets(folder: Path, name: str) -> Path:
    return folder / f"{name}.offsets"


def _bytes(folder: Path, name: str) -> Path:
    return folder / f"{name}.bytes"


def _unreadable(path: Path, error: OSError) -> CrossinError:
    return CrossinError(f"cannot be read: {error.strerror}", file=path, hint="run again from the start")


def _new(path: Path) -> BinaryIO:
    # Texts that map an earlier file of this name keep it.
    path.unlink(missing_ok=True)
    return path.open("wb", buffering=1 << 18)
