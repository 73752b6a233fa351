"""Figures as rows of a table, a row for each figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crossin.metrics.bootstrap import Figure

if TYPE_CHECKING:
    import pyarrow


def figure_rows(figures: Mapping[str, Figure], **columns: Any) -> list[dict[str, Any]]:
    """A row for each figure: `columns`, its name, value and interval; None where undefined."""
    return [{**columns, "figure": name, **interval(figure)} for name, figure in figures.items()]


def interval(figure: Figure, prefix: str = "") -> dict[str, float | None]:
    """The cells of a figure: `value`, `low`, `high`, or with a prefix `ours`, `ours_low`, `ours_high`."""
    names = (prefix, f"{prefix}_low", f"{prefix}_high") if prefix else ("value", "low", "high")
    values = (figure.value, figure.low, figure.high)
    return {
        name: None if math.isnan(value) else float(value) for name, value in zip(names, values, strict=True)
    }


def table_of_rows(
    rows: Sequence[Mapping[str, Any]], texts: Sequence[str], numbers: Sequence[str]
) -> pyarrow.Table:
    """The rows as a table with these columns, whether or not they have a value."""
    import pyarrow

    kinds = [(name, pyarrow.string()) for name in texts] + [(name, pyarrow.float64()) for name in numbers]
    return pyarrow.Table.from_pylist(list(rows), pyarrow.schema(kinds))


def in_words(figures: Mapping[str, Figure], name: str) -> str:
    """A figure in a few words, and how many there are: `accuracy 0.463 [0.410 0.512], 57 figures`."""
    count = f"{len(figures)} figures"
    if name not in figures:
        return count
    one = figures[name]
    bounds = "" if math.isnan(one.low) else f" [{one.low:.3f} {one.high:.3f}]"
    return f"{name} {one.value:.3f}{bounds}, {count}"
