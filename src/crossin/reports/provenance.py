"""How results were made, as HTML: sources and licences, models, trainings, and the manifests of all runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from crossin.reports.cells import NONE, digits
from crossin.reports.figures_html import box, folded
from crossin.reports.lineage import Training, flat, in_short, of_training, trainings_of
from crossin.reports.results import Run
from crossin.reports.sources import sources_of
from crossin.reports.summary import Summary

# The sections of a manifest, and their titles.
_SECTIONS = {
    "settings": "Settings",
    "counts": "Counts",
    "skipped": "Left out, by reason",
    "versions": "Versions",
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
    """The sources of the questions with their licences, models and trainings in short, and, folded away, the
    manifests of all runs side by side. Lines that differ are marked.
    """
    runs = summary.results.runs
    trainings = trainings_of(runs)
    short = [in_short(run, trainings.get(run.name)) for run in runs]
    parts = [_sources(summary), "<h3>Models</h3>" + box("Models", _table(summary, _rows(short)))]
    if trainings:
        parts.append(_trainings(summary, trainings))
    return "".join([*parts, folded("All settings, counts and versions", _manifests(summary))])


def _sources(summary: Summary) -> str:
    lines = []
    for source in sources_of(summary.results):
        parts = [source.get("benchmark", ""), source.get("source", "")]
        parts += [f"licence {source['licence']}"] if "licence" in source else []
        lines.append(f"<li>{escape(', '.join(filter(None, parts)))}</li>")
    said = "<p>The questions are their authors', under these licences:</p>"
    return f"<h3>Where the questions are from</h3>{said}<ul>{''.join(lines)}</ul>" if lines else ""


def _trainings(summary: Summary, trainings: Mapping[str, Training]) -> str:
    """What differs between trainings, and, folded away, what does not."""
    columns = [of_training(trainings[name]) if name in trainings else {} for name in summary.results.names]
    trained = [of_training(training) for training in trainings.values()]
    keys = list(dict.fromkeys(key for column in trained for key in column))
    same = [key for key in keys if len({column.get(key) for column in trained}) == 1]
    differing = _rows(columns, [key for key in keys if key not in same])
    title = "What is the same in all trainings" if len(trained) > 1 else "Settings of the training"
    common = f'<table class="made"><tbody>{_rows(trained[:1], same)}</tbody></table>'
    return (
        "<h3>Training</h3><p>As the manifests near the evaluations say; – where a model was not trained, or "
        "its training is elsewhere.</p>"
        + (box("What differs between trainings", _table(summary, differing)) if differing else "")
        + folded(title, box(title, common))
    )


def _manifests(summary: Summary) -> str:
    runs = summary.results.runs
    parts = [
        _section(title, of_runs)
        for name, title in _SECTIONS.items()
        if any(of_runs := [run.manifest.get(name) or {} for run in runs])
    ]
    if any(unread := [run.unread for run in runs]):
        parts.append(_section("Replies that were not read", unread))
    if any(reported := [_reported(run, summary) for run in runs]):
        parts.append(_section("Figures that the harness reports", reported))
    made = box("Manifests", _table(summary, "".join(parts)))
    if any(hashes := [run.manifest.get("inputs") or {} for run in runs]):
        made += folded("Hashes of what was read (SHA-256)", box("Hashes", _table(summary, _rows(hashes))))
    return made


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
    columns = list(map(flat, of_runs))
    rows = _rows(columns) or f'<tr><td></td><td colspan="{len(columns)}">none</td></tr>'
    return f'<tr><th class="part" scope="rowgroup" colspan="{len(columns) + 1}">{title}</th></tr>{rows}'


def _rows(columns: Sequence[Mapping[str, str]], keys: Sequence[str] | None = None) -> str:
    """A row for each key (of these, or of all), with one cell where all columns are the same."""
    lines = []
    for key in dict.fromkeys(key for column in columns for key in column) if keys is None else keys:
        values = [column.get(key, NONE) for column in columns]
        differs = len(set(values)) > 1
        if differs:
            cells = "".join(f"<td>{escape(text)}</td>" for text in values)
        else:
            cells = f'<td colspan="{len(columns)}">{escape(values[0])}</td>'
        kind = ' class="differs"' if differs else ""
        lines.append(f'<tr{kind}><th scope="row">{escape(key)}</th>{cells}</tr>')
    return "".join(lines)


def _table(summary: Summary, rows: str) -> str:
    """A table with a column for each run."""
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in summary.results.names)
    return f'<table class="made"><thead><tr><td></td>{heads}</tr></thead><tbody>{rows}</tbody></table>'
