"""The page of a report: its table, plots, questions, and how the results were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from crossin.charts.standalone import packed_json, stand_alone
from crossin.core.reasons import counted_sentences
from crossin.reports.explorer import explorer_data
from crossin.reports.figures_html import difference_tables, figures_table
from crossin.reports.first_prompts import prompts_html
from crossin.reports.plots import report_plots
from crossin.reports.preference import preference_html
from crossin.reports.provenance import provenance_html
from crossin.reports.sentences import headline
from crossin.reports.summary import Summary
from crossin.reports.why import why_html
from crossin.reports.wordings import WordingRange, ranges_html

Note = tuple[str, str | Sequence[str]]

_HERE = Path(__file__).parent
# To sections that not every page has.
_LINKS = {"why": '<a href="#why">Why</a>', "preference": '<a href="#preference">Preference</a>'}
# They share one scope, and the last one begins.
_SCRIPTS = ("table", "data", "conditions", "filters", "links", "matrix", "cards", "overview", "start")


def page_html(
    summary: Summary,
    *,
    title: str,
    notes: Sequence[Note] = (),
    pages: Mapping[str, str] = MappingProxyType({}),
    wordings: Mapping[str, WordingRange] = MappingProxyType({}),
    choices: Mapping[str, Summary] = MappingProxyType({}),
) -> str:
    """The whole page. notes: headings, each with a text or a list of lines. pages: the pages of several
    benchmarks by name; '' for this one. wordings: of runs that answered under several, by name. choices: the
    figures by other choices between options (`by_choices`).
    """
    first, *rest = headline(summary)
    sections = {"why": why_html(summary), "preference": preference_html(summary, choices)}
    values = {
        "title": escape(title),
        "result": escape(first),
        "sentences": list_items(rest),
        "table": figures_table(summary),
        "parts": _left_out(summary) + difference_tables(summary) + ranges_html(summary, wordings),
        **sections,
        "pages": _links_to(pages),
        "links": "".join(_LINKS[name] for name, section in sections.items() if section),
        "notes": "\n".join(f"<h3>{escape(heading)}</h3>{_note(body)}" for heading, body in notes),
        "prompts": prompts_html(summary.results),
        "provenance": provenance_html(summary),
        "item_data": packed_json(explorer_data(summary)),
    }
    return stand_alone(
        _HERE / "page.html",
        values,
        report_plots(summary),
        [_HERE / "scripts" / f"{name}.js" for name in _SCRIPTS],
    )


def _links_to(pages: Mapping[str, str]) -> str:
    links = "".join(
        f'<a href="{escape(quote(file))}"{"" if file else " aria-current=page"}>{escape(name)}</a>'
        for name, file in pages.items()
    )
    return f'<nav class="pages" aria-label="Benchmarks">{links}</nav>' if links else ""


def list_items(lines: Sequence[str]) -> str:
    """The items of a list."""
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _left_out(summary: Summary) -> str:
    """What is left out because not all runs have it."""
    lines = counted_sentences(summary.results.excluded, "questions in a language")
    return f'<p class="key">{"<br>".join(map(escape, lines))}</p>' if lines else ""


def _note(body: str | Sequence[str]) -> str:
    return f"<p>{escape(body)}</p>" if isinstance(body, str) else f"<ul>{list_items(body)}</ul>"
