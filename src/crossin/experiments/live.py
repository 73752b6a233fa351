"""What an experiment has so far, while it runs."""

from __future__ import annotations

from typing import NamedTuple

from crossin.experiments.index import Index


class LiveRows(NamedTuple):
    """Heads of columns, and for each arm its name and cells; an empty cell is not there yet."""

    heads: list[str]
    rows: list[tuple[str, list[str]]]


def live_rows(index: Index) -> LiveRows:
    """Each arm with its main figures, means over the seeds that are finished. Each folder is read once in a
    process, so that the rows may be asked for every second.
    """
    raise NotImplementedError
