"""How results were made, as HTML: the manifests of all runs side by side."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from crossin.reports.cells import digits
from crossin.reports.results import Run
from crossin.reports.summary import Summary

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


def provenance_html(summary: Summary) -> str:
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
