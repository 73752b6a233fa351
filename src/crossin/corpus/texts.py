"""One column of texts in files, mapped into memory: as many as the disk holds, with little of it resident."""

from __future__ import annotations

import contextlib
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

# Above this size texts are read one by one instead of through the map: the kernel maps the neighbourhood of
# each page that is touched (up to megabytes), so that random reads would make most of the file resident.
_LARGE = 32 * 2**20
_READ_AT_ONCE = 1 << 14


class Texts:
    """The texts of one column, read-only: `<name>.offsets` (int64, one more than there are texts) and
    `<name>.bytes` (their UTF-8, end to end). Any process may open it again from `folder` and `name`.

    Raises CrossinError where the files are gone or do not belong together.
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
        # All texts, without a copy; what is read of them stays resident until `release`.
        self.all = pa.LargeStringArray.from_buffers(
            len(offsets) // 8 - 1, pa.py_buffer(offsets), pa.py_buffer(data)
        )

    def __len__(self) -> int:
        return len(self.all)

    def __reduce__(self) -> tuple[type[Texts], tuple[Path, str]]:
        """Another process opens the files anew."""
        return Texts, (self.folder.absolute(), self.name)

    def take(self, indices: npt.NDArray[np.integer]) -> pa.LargeStringArray:
        """The texts at `indices` (each 0..len-1, any order, repeats allowed), copied out of the files."""
        # Windows has no pread; there the system's own paging must do.
        if self.bytes <= _LARGE or not hasattr(os, "pread"):
            return pc.take(self.all, pa.array(indices))
        starts, _ = raw(self.all)
        path, parts = _bytes(self.folder, self.name), []
        try:
            # Opened anew each time: a corpus of many languages would run out of file handles.
            with path.open("rb", buffering=0) as file:
                for first in range(0, len(indices), _READ_AT_ONCE):
                    chosen = indices[first : first + _READ_AT_ONCE]
                    parts.append(_read(file.fileno(), starts[chosen], starts[chosen + 1]))
        except OSError as error:
            raise _unreadable(path, error) from error
        # The offsets stay resident: to fetch them again for every take would cost more than the texts.
        return pa.concat_arrays(parts) if parts else pa.array([], pa.large_string())

    def slices(self, size: int = 1 << 16) -> Iterator[tuple[int, pa.LargeStringArray]]:
        """All texts in order, `size` at a time, each slice with the index of its first text; a slice is no
        copy, and its pages are given back when the next is asked for.
        """
        for start in range(0, len(self), size):
            yield start, self.all.slice(start, size)
            if self.bytes > _LARGE:
                self.release()

    def release(self) -> None:
        """Give the resident pages back to the system; the next reader gets them from its cache."""
        # Linux and most Unixes; elsewhere the system's own paging must do.
        if hasattr(mmap, "MADV_DONTNEED"):
            for one in self._maps:
                one.madvise(mmap.MADV_DONTNEED)

    def remove(self) -> None:
        """Delete the files, as far as the system allows it while they are open here."""
        for path in (_offsets(self.folder, self.name), _bytes(self.folder, self.name)):
            with contextlib.suppress(OSError):
                path.unlink()

    def _map(self, path: Path) -> mmap.mmap | bytes:
        try:
            with path.open("rb") as file:
                # Nothing cannot be mapped.
                if not path.stat().st_size:
                    return b""
                mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise _unreadable(path, error) from error
        self._maps.append(mapped)
        return mapped


class TextsWriter:
    """Writes one column of texts as a stream; until `close` there is nothing under the final names."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name, self._size = folder, name, 0
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._offsets, self._bytes = (_open(path(folder, name)) for path in (_offsets, _bytes))
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
        """End the files, give them their names and open them."""
        for path, file in (
            (_offsets(self._folder, self._name), self._offsets),
            (_bytes(self._folder, self._name), self._bytes),
        ):
            with writing(path):
                file.close()
                _unfinished(path).replace(path)
        return Texts(self._folder, self._name)

    def abandon(self) -> None:
        """Close and delete what was written so far."""
        for path, file in ((_offsets, self._offsets), (_bytes, self._bytes)):
            with contextlib.suppress(OSError):
                file.close()
            _unfinished(path(self._folder, self._name)).unlink(missing_ok=True)


def raw(array: pa.LargeStringArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """The offsets of an array's texts (one more than there are) and the bytes from the first offset to the
    last, both without a copy.
    """
    _, offsets_buffer, data_buffer = array.buffers()
    if not len(array):
        return np.zeros(1, np.int64), np.empty(0, np.uint8)
    offsets = np.frombuffer(offsets_buffer, np.int64, len(array) + 1, array.offset * 8)
    data = np.frombuffer(data_buffer or b"", np.uint8)
    return offsets, data[offsets[0] : offsets[-1]]


def _read(file: int, begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> pa.LargeStringArray:
    """The texts that lie between these places of an open file."""
    sizes = ends - begins
    places = zip(sizes.tolist(), begins.tolist(), strict=True)
    data = b"".join([os.pread(file, size, begin) for size, begin in places])
    offsets = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=offsets[1:])
    return pa.LargeStringArray.from_buffers(len(sizes), pa.py_buffer(offsets), pa.py_buffer(data))


def _offsets(folder: Path, name: str) -> Path:
    return folder / f"{name}.offsets"


def _bytes(folder: Path, name: str) -> Path:
    return folder / f"{name}.bytes"


def _unreadable(path: Path, error: OSError) -> CrossinError:
    return CrossinError(f"cannot be read: {error.strerror}", file=path, hint="run again from the start")


def _unfinished(path: Path) -> Path:
    # The stage sweeps files of this form away after a kill.
    return path.with_name(f".{path.name}.tmp")


def _open(path: Path) -> BinaryIO:
    return _unfinished(path).open("wb", buffering=1 << 18)
