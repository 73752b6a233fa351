"""Where the rows of a language come from: their file, and their number in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class Origins:
    """The files of a language's rows, in their order; rows that follow each other take no memory."""

    def __init__(self) -> None:
        self._files: list[str] = []
        # Of each part: its first row here, and its rows' numbers in the file or only the first of them.
        self._starts: list[int] = []
        self._numbers: list[Ints | int] = []
        self._rows = 0

    def __len__(self) -> int:
        return self._rows

    def add(self, file: str | Path, numbers: Ints) -> None:
        """Add rows of a file by their numbers in it, from 0."""
        if not len(numbers):
            return
        name, first = str(file), int(numbers[0])
        follow = int(numbers[-1]) - first + 1 == len(numbers)
        last = self._numbers[-1] if self._numbers else None
        if not (
            follow
            and isinstance(last, int)
            and self._files[-1] == name
            and last + self._rows - self._starts[-1] == first
        ):
            self._files.append(name)
            self._starts.append(self._rows)
            self._numbers.append(first if follow else numbers)
        self._rows += len(numbers)

    def places(self, indices: Sequence[int] | Ints) -> list[tuple[str, int]]:
        """The file of each of these rows, and its number there, from 1."""
        return [
            self._place(part, int(index)) for part, index in zip(self._parts(indices), indices, strict=True)
        ]

    def rows_by_file(self) -> dict[str, int]:
        """How many rows each file has."""
        ends = [*self._starts[1:], self._rows]
        counts = Counter[str]()
        for file, start, end in zip(self._files, self._starts, ends, strict=False):
            counts[file] += end - start
        return dict(counts)

    def by_file(self, indices: Ints) -> dict[str, tuple[int, int]]:
        """Of the files that these rows come from: how many they are, and the number of the first, from 1."""
        found: dict[str, tuple[int, int]] = {}
        parts = self._parts(indices)
        for part in np.unique(parts).tolist():
            mine = indices[parts == part]
            file, row = self._place(part, int(mine.min()))
            count, first = found.get(file, (0, row))
            found[file] = (count + len(mine), min(first, row))
        return found

    def _parts(self, indices: Sequence[int] | Ints) -> Ints:
        return np.searchsorted(np.array(self._starts, np.int64), np.asarray(indices), side="right") - 1

    def _place(self, part: int, index: int) -> tuple[str, int]:
        offset, numbers = index - self._starts[part], self._numbers[part]
        return self._files[part], 1 + (numbers + offset if isinstance(numbers, int) else int(numbers[offset]))
