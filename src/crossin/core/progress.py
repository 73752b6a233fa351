"""How a stage reports its progress: to a function that the caller passes in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Called with the work done so far and the total, counted in `unit` (rows, questions, steps).

    `task` names the work in a few words; `note` is a short figure worth showing, such as the loss.
    """

    def __call__(self, task: str, done: int, total: int, unit: str, note: str = "") -> None:
        """Report that `done` of `total` is done."""


def silent(task: str, done: int, total: int, unit: str, note: str = "") -> None:
    """Report nothing: the default of the Python API."""


@contextmanager
def phase(progress: Progress, task: str, unit: str) -> Iterator[None]:
    """Report the block as one task, of which nothing can be counted: a model that is loaded, for example."""
    progress(task, 0, 1, unit)
    try:
        yield
    except Exception:
        progress(task, 1, 1, unit, "failed")
        raise
    progress(task, 1, 1, unit)
