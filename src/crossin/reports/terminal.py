"""Tables of figures for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from crossin.reports.cells import TONE_COLOURS, Cell

if TYPE_CHECKING:
    from rich.table import Table

# Longer names of rows are wrapped.
_NAME = 40


def new_table(
    corner: str,
    heads: Iterable[str],
    *,
    title: str | None = None,
    caption: str | None = None,
    justify: Literal["left", "right"] = "left",
) -> Table:
    """An empty table, with `corner` above the names of its rows."""
    from rich.box import SIMPLE_HEAD
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, caption=caption, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.caption_justify = "left"
    table.add_column(escape(corner), overflow="fold", max_width=_NAME)
    for head in heads:
        table.add_column(escape(head), no_wrap=True, justify=justify)
    return table


def add_row(table: Table, name: str, cells: Sequence[Cell | str]) -> None:
    """Add a row; intervals stand below their values."""
    from rich.text import Text

    table.add_row(
        Text(name),
        *(
            Text(cell) if isinstance(cell, str) else Text(cell.text("\n"), TONE_COLOURS[cell.tone])
            for cell in cells
        ),
    )
