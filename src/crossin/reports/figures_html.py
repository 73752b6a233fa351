"""The tables of figures, as HTML."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from crossin.reports.cells import Cell
from crossin.reports.difference_parts import CAPTION, HEADS, TITLE, parts_rows
from crossin.reports.summary import Figures, Summary
from crossin.reports.table import caption, grid


def figures_table(summary: Summary) -> str:
    """The table of all runs and their differences."""
    shape = grid(summary, summary.results.pairs)
    columns = [""] * shape.runs + ["difference"] * (len(shape.heads) - shape.runs)
    heads = "".join(
        f'<th scope="col"{_class(kind)}>{escape(head)}</th>'
        for head, kind in zip(shape.heads, columns, strict=True)
    )
    lines = []
    for name, cells in shape.rows:
        row = "".join(map(cell_html, cells, columns))
        kind = "sum" if name == "accuracy, mean" else ""
        lines.append(f'<tr{_class(kind)}><th scope="row">{escape(name)}</th>{row}</tr>')
    return (
        f"<table class='figures'><caption>{escape(caption(summary))}</caption>"
        f"<thead><tr><th scope='col'>figure</th>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def difference_tables(summary: Summary) -> str:
    """What the difference of each pair of runs is made of, where some question was left without an answer."""
    return "".join(
        f"<h3>{TITLE}: {escape(arm)} − {escape(other)}</h3>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="{TITLE}">'
        f'{_parts_table(parts, summary.choice_languages)}</div><p class="key">{escape(CAPTION)}</p>'
        for (arm, other), parts in summary.parts.items()
    )


def _parts_table(parts: Figures, languages: Sequence[str]) -> str:
    heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in HEADS)
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th>{"".join(cell_html(cell, "") for cell in cells)}</tr>'
        for name, cells in parts_rows(parts, languages)
    )
    return (
        f'<table class="figures"><thead><tr><th scope="col">language</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def cell_html(cell: Cell, kind: str = "") -> str:
    """A cell of a table, of a class besides that of its tone."""
    kinds = f"{kind} {cell.tone}".strip()
    mark = f' <span class="mark">{cell.mark}</span>' if cell.mark else ""
    return f'<td class="{kinds}"><b>{cell.value}</b>{mark} <span class="interval">{cell.interval}</span></td>'
