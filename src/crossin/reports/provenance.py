"""How the results were made, as HTML: what differs between the arms, what all share, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from crossin.reports.results import Results, Run

Note = tuple[str, str | Sequence[str]]
_SECTIONS = {
    "settings": "Settings",
    "counts": "Counts",
    "skipped": "Left out, by reason",
    "versions": "Versions",
    "inputs": "Inputs (SHA-256)",
}


def provenance(results: Results) -> str:
    """The manifests of all arms side by side, a line a setting; lines that differ are marked."""
    heads = "".join(f'<th scope="col">{escape(run.name)}</th>' for run in results.runs)
    parts = [_part(title, section, results.runs) for section, title in _SECTIONS.items()]
    return (
        "<h3>Settings, counts and versions</h3>"
        '<div class="scroll" tabindex="0" role="region" aria-label="Manifests">'
        f'<table class="made"><thead><tr><td></td>{heads}</tr></thead>{"".join(parts)}</table></div>'
    )


def notes_html(notes: Sequence[Note]) -> str:
    """The caller's own notes."""
    parts = []
    for heading, body in notes:
        parts.append(f"<h3>{escape(heading)}</h3>")
        if isinstance(body, str):
            parts.append(f"<p>{escape(body)}</p>")
        else:
            parts.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in body) + "</ul>")
    return "\n".join(parts)


def _part(title: str, section: str, runs: list[Run]) -> str:
    values = [_flat(run.manifest.get(section) or {}) for run in runs]
    lines = [f'<tr><th class="part" scope="rowgroup" colspan="{len(runs) + 1}">{title}</th></tr>']
    for key in dict.fromkeys(key for value in values for key in value):
        told = [value.get(key, "–") for value in values]
        differs = len(set(told)) > 1
        if differs:
            cells = "".join(f"<td>{escape(text)}</td>" for text in told)
        else:
            cells = f'<td colspan="{len(runs)}">{escape(told[0])}</td>'
        lines.append(
            f'<tr{" class=differs" if differs else ""}><th scope="row">{escape(key)}</th>{cells}</tr>'
        )
    if len(lines) == 1:
        lines.append(f'<tr><td></td><td colspan="{len(runs)}">none</td></tr>')
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
