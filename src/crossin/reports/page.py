"""The page of a report: its table, plots, questions, and how the results were made."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from crossin.charts.standalone import packed_json, stand_alone
from crossin.reports.explorer import explorer_data
from crossin.reports.figures_html import difference_tables, figures_table
from crossin.reports.plots import report_plots
from crossin.reports.provenance import provenance_html
from crossin.reports.sentences import headline
from crossin.reports.summary import Summary

Note = tuple[str, str | Sequence[str]]

_HERE = Path(__file__).parent
# They share one scope, and the last one begins.
_SCRIPTS = ("table", "data", "conditions", "filters", "links", "matrix", "cards", "overview", "start")


def page_html(summary: Summary, *, title: str, notes: Sequence[Note] = ()) -> str:
    """The whole page. notes: headings, each with a text or a list of lines."""
    first, *rest = headline(summary)
    values = {
        "title": escape(title),
        "result": escape(first),
        "sentences": list_items(rest),
        "table": figures_table(summary),
        "parts": difference_tables(summary),
        "notes": "\n".join(f"<h3>{escape(heading)}</h3>{_note(body)}" for heading, body in notes),
        "provenance": provenance_html(summary),
        "item_data": packed_json(explorer_data(summary)),
    }
    return stand_alone(
        _HERE / "page.html",
        values,
        report_plots(summary),
        [_HERE / "scripts" / f"{name}.js" for name in _SCRIPTS],
    )


def list_items(lines: Sequence[str]) -> str:
    """The items of a list."""
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _note(body: str | Sequence[str]) -> str:
    return f"<p>{escape(body)}</p>" if isinstance(body, str) else f"<ul>{list_items(body)}</ul>"
