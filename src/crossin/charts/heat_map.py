"""Heat maps: tables whose cells are coloured by their number, which they show as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# The share of colour in the strongest cell, in percent: text keeps a contrast of 4.5 to 1, in light and dark.
_STRONGEST = 45


@dataclass(frozen=True)
class HeatCell:
    """A number (None where it is undefined), how it is written, and what the cell says when pointed at."""

    value: float | None
    shown: str
    text: str = ""


@dataclass(frozen=True)
class HeatMap:
    """A heat map with a title and a sentence. corner: what rows and columns are. rows: the name of each, and
    a cell for each column. most: the number of the strongest colour; 0 has none, and a number below 0 another
    colour.
    """

    title: str
    text: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[HeatCell]]]
    most: float


def heat_table(made: HeatMap) -> str:
    """The heat map as HTML, in a box in which it can be scrolled."""
    heads = "".join(f'<th scope="col">{escape(column)}</th>' for column in made.columns)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(_cell(cell, made.most) for cell in cells)}</tr>'
        for name, cells in made.rows
    )
    title = escape(made.title)
    return (
        f'<figure class="plot heat"><figcaption><h3>{title}</h3><p>{escape(made.text)}</p></figcaption>'
        f'<div class="scroll" tabindex="0" role="region" aria-label="{title}"><table><thead><tr>'
        f'<th scope="col">{escape(made.corner)}</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</figure>"
    )


def _cell(cell: HeatCell, most: float) -> str:
    said = f' title="{escape(cell.text)}"' if cell.text else ""
    if not cell.value or most <= 0:
        return f"<td{said}>{escape(cell.shown)}</td>"
    share = round(min(abs(cell.value) / most, 1) * _STRONGEST)
    colour = "var(--arm-0)" if cell.value > 0 else "var(--arm-1)"
    background = f"background:color-mix(in srgb,{colour} {share}%,var(--card))"
    return f'<td style="{background}"{said}>{escape(cell.shown)}</td>'
