"""The page of a report: its table, plots, questions, and how the results were made."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from crossin.charts.standalone import script_json, stand_alone
from crossin.reports.cells import Cell, digits
from crossin.reports.difference_parts import CAPTION, HEADS, TITLE, parts_rows
from crossin.reports.explorer import explorer_data
from crossin.reports.plots import report_plots
from crossin.reports.results import Run
from crossin.reports.sentences import headline
from crossin.reports.summary import Figures, Summary
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


# The harnesses' names of figures that are ours, too. An exact match of a letter is accuracy.
_OURS = {
    "acc": ("accuracy",),
    "accuracy": ("accuracy",),
    "exact_match": ("exact_match", "accuracy"),
    "f1": ("f1",),
    "chrf": ("chrf",),
}
_FREE_TEXT = (
    "<p>Of free text: <b>exact match</b>, the share of replies that are a reference word for word, "
    "and <b>containment</b>, of those that contain one; <b>F1</b> "
    "of the words that reply and reference share, and <b>chrF</b> of short strings of characters (0 to 100); "
    "<b>in language asked</b>, the share of replies that are, and <b>fidelity</b>, that among those whose "
    "language is clear; <b>undecided</b>, the share of the others; <b>no reply</b>, the share of empty ones. "
    "Where the answers are entities with known names, a reply is read as the entity that it names, or as no "
    "answer, and counts as an option in the figures above.</p>"
)


def page_html(summary: Summary, *, title: str, notes: Sequence[Note] = ()) -> str:
    """The whole page. notes: headings, each with a text or a list of lines."""
    first, *rest = headline(summary)
    values = {
        "title": escape(title),
        "result": escape(first),
        "sentences": list_items(rest),
        "table": _table(summary),
        "parts": _parts(summary),
        "notes": "\n".join(f"<h3>{escape(heading)}</h3>{_note(body)}" for heading, body in notes),
        "free_text": _FREE_TEXT if summary.text_languages else "",
        "provenance": _provenance(summary),
        "item_data": script_json(explorer_data(summary)),
    }
    return stand_alone(_HERE / "page.html", values, report_plots(summary), [_HERE / "page.js"])


def list_items(lines: Sequence[str]) -> str:
    """The items of a list."""
    return "".join(f"<li>{escape(line)}</li>" for line in lines)


def _note(body: str | Sequence[str]) -> str:
    return f"<p>{escape(body)}</p>" if isinstance(body, str) else f"<ul>{list_items(body)}</ul>"


def _table(summary: Summary) -> str:
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


def _parts(summary: Summary) -> str:
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


def _provenance(summary: Summary) -> str:
    """The manifests of all runs side by side, a line for each setting; lines that differ are marked."""
    runs = summary.results.runs
    heads = "".join(f'<th scope="col">{escape(run.name)}</th>' for run in runs)
    parts = [
        _section(title, of_runs)
        for name, title in _SECTIONS.items()
        if any(of_runs := [run.manifest.get(name) or {} for run in runs])
    ]
    if any(unread := [run.unread for run in runs]):
        parts.append(_section("Replies that were not read", unread))
    if any(reported := [_reported(run, summary) for run in runs]):
        parts.append(_section("Figures that the harness reports", reported))
    return (
        "<h3>Settings, counts and versions</h3>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Manifests">'
        f'<table class="made"><thead><tr><td></td>{heads}</tr></thead>{"".join(parts)}</table></div>'
    )


def _reported(run: Run, summary: Summary) -> dict[str, str]:
    """The harness's own figures, with ours where it is the same figure."""
    ours = summary.by_arm[run.name]
    found = {}
    for key, value in run.answers.log.reported.items():
        metric, _, language = key.partition("/")
        # As "exact_match,strict-match" of lm-eval and "choice.accuracy" of inspect_ai.
        named = _OURS.get(metric.partition(",")[0].rpartition(".")[2], ())
        same = next((ours[one] for name in named if (one := f"{name}/{language}") in ours), None)
        found[key] = digits(value) + (f" (ours {digits(same.value)})" if same else "")
    return found


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
