"""The page of a report: its table, plots, questions and provenance."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from crossin.reports.cells import Cell
from crossin.reports.explorer import explorer
from crossin.reports.headline import headline
from crossin.reports.plots import plots
from crossin.reports.provenance import Note, notes_html, provenance
from crossin.reports.standalone import script_json, stand_alone
from crossin.reports.summary import Summary
from crossin.reports.table import caption, grid

_HERE = Path(__file__).parent


def page(summary: Summary, *, title: str, notes: Sequence[Note] = ()) -> str:
    """The whole page."""
    first, *rest = headline(summary)
    values = {
        "title": escape(title),
        "result": escape(first),
        "sentences": "".join(f"<li>{escape(sentence)}</li>" for sentence in rest),
        "table": _table(summary),
        "notes": notes_html(notes),
        "provenance": provenance(summary.results),
        "item_data": script_json(explorer(summary)),
    }
    return stand_alone(_HERE / "page.html", values, plots(summary), [_HERE / "page.js"])


def _table(summary: Summary) -> str:
    shape = grid(summary, summary.results.pairs)
    arms = len(shape.heads) - shape.differences
    heads = "".join(
        f'<th scope="col"{_class(place >= arms)}>{escape(head)}</th>'
        for place, head in enumerate(shape.heads)
    )
    lines = []
    for name, cells in shape.rows:
        told = "".join(_cell(cell, place >= arms) for place, cell in enumerate(cells))
        kind = ' class="sum"' if name == "accuracy, mean" else ""
        lines.append(f'<tr{kind}><th scope="row">{escape(name)}</th>{told}</tr>')
    return (
        f"<table class='figures'><caption>{escape(caption(summary))}</caption>"
        f"<thead><tr><th scope='col'>figure</th>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _class(difference: bool) -> str:
    return ' class="difference"' if difference else ""


def _cell(cell: Cell, difference: bool) -> str:
    kinds = " ".join(kind for kind in ("difference" if difference else "", cell.tone) if kind)
    mark = f' <span class="mark">{cell.mark}</span>' if cell.mark else ""
    return f'<td class="{kinds}"><b>{cell.value}</b>{mark} <span class="interval">{cell.interval}</span></td>'
