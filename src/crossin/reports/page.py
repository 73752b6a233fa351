"""The page of a report: its table, plots, questions, and how the results were made."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from crossin.reports.cells import Cell
from crossin.reports.explorer import explorer_data
from crossin.reports.plots import report_plots
from crossin.reports.results import Run
from crossin.reports.sentences import headline
from crossin.reports.standalone import script_json, stand_alone
from crossin.reports.summary import Summary
from crossin.reports.table import caption, grid

Note = tuple[str, str | Sequence[str]]

_HERE = Path(__file__).parent
# The sections of a manifest, and their titles.
_SECTIONS = {
    "settings": "Settings",
    "counts": "Counts",
    "skipped": "Left out, by reason",
    "versions": "Versions",
    "inputs": "Inputs (SHA-256)",
}


def page_html(summary: Summary, *, title: str, notes: Sequence[Note] = ()) -> str:
    """The whole page. notes: headings, each with a text or a list of lines."""
    first, *rest = headline(summary)
    values = {
        "title": escape(title),
        "result": escape(first),
        "sentences": _items(rest),
        "table": _table(summary),
        "notes": "\n".join(f"<h3>{escape(heading)}</h3>{_note(body)}" for heading, body in notes),
        "provenance": _provenance(summary.results.runs),
        "item_data": script_json(explorer_data(summary)),
    }
    return stand_alone(_HERE / "page.html", values, report_plots(summary), [_HERE / "page.js"])


def _items(lines: Sequence[str]) -> str:
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _note(body: str | Sequence[str]) -> str:
    return f"<p>{escape(body)}</p>" if isinstance(body, str) else f"<ul>{_items(body)}</ul>"


def _table(summary: Summary) -> str:
    shape = grid(summary, summary.results.pairs)
    columns = [""] * shape.runs + ["difference"] * (len(shape.heads) - shape.runs)
    heads = "".join(
        f'<th scope="col"{_class(kind)}>{escape(head)}</th>'
        for head, kind in zip(shape.heads, columns, strict=True)
    )
    lines = []
    for name, cells in shape.rows:
        row = "".join(map(_cell, cells, columns))
        kind = "sum" if name == "accuracy, mean" else ""
        lines.append(f'<tr{_class(kind)}><th scope="row">{escape(name)}</th>{row}</tr>')
    return (
        f"<table class='figures'><caption>{escape(caption(summary))}</caption>"
        f"<thead><tr><th scope='col'>figure</th>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def _cell(cell: Cell, kind: str) -> str:
    kinds = f"{kind} {cell.tone}".strip()
    mark = f' <span class="mark">{cell.mark}</span>' if cell.mark else ""
    return f'<td class="{kinds}"><b>{cell.value}</b>{mark} <span class="interval">{cell.interval}</span></td>'


def _provenance(runs: Sequence[Run]) -> str:
    """The manifests of all runs side by side, a line for each setting; lines that differ are marked."""
    heads = "".join(f'<th scope="col">{escape(run.name)}</th>' for run in runs)
    parts = [
        _section(title, [run.manifest.get(name) or {} for run in runs]) for name, title in _SECTIONS.items()
    ]
    return (
        "<h3>Settings, counts and versions</h3>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Manifests">'
        f'<table class="made"><thead><tr><td></td>{heads}</tr></thead>{"".join(parts)}</table></div>'
    )


def _section(title: str, of_runs: Sequence[Any]) -> str:
    columns = [_flat(value) for value in of_runs]
    lines = [f'<tr><th class="part" scope="rowgroup" colspan="{len(columns) + 1}">{title}</th></tr>']
    for key in dict.fromkeys(key for column in columns for key in column):
        values = [column.get(key, "–") for column in columns]
        differs = len(set(values)) > 1
        if differs:
            cells = "".join(f"<td>{escape(text)}</td>" for text in values)
        else:
            cells = f'<td colspan="{len(columns)}">{escape(values[0])}</td>'
        kind = " class=differs" if differs else ""
        lines.append(f'<tr{kind}><th scope="row">{escape(key)}</th>{cells}</tr>')
    if len(lines) == 1:
        lines.append(f'<tr><td></td><td colspan="{len(columns)}">none</td></tr>')
    return f"<tbody>{''.join(lines)}</tbody>"


def _flat(value: Any, prefix: str = "") -> dict[str, str]:
    """Nested settings as lines: `training.lr` → `0.0005`."""
    if isinstance(value, dict):
        return {
            name: text
            for key, inner in value.items()
            for name, text in _flat(inner, f"{prefix}{key}.").items()
        }
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return {prefix.rstrip("."): text}
