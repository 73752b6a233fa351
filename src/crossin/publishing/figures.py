"""The figures of a card: of each evaluation, by benchmark, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from crossin.core.paths import as_path
from crossin.languages.codes import language_name
from crossin.metrics.bootstrap import Figure
from crossin.scoring.scores import score

# The first that a benchmark has is shown by language; then those over all languages.
_BY_LANGUAGE = ("accuracy", "exact_match")
_OVER_ALL = ("accuracy", "consistency_2", "kappa_2", "ac3_2")


class Scored(NamedTuple):
    """The figures of one model on one benchmark."""

    model: str
    bench: str
    languages: list[str]
    figures: Mapping[str, Figure]


def scores_of(evaluations: Sequence[Path | str]) -> list[Scored]:
    """The figures of folders of answers. Raises CrossinError for what cannot be scored."""
    return [
        Scored(
            one.predictions.model, place.name, list(one.predictions.languages), {**one.texts, **one.choices}
        )
        for place in map(as_path, evaluations)
        for one in score([place])
    ]


def figures_section(scored: Sequence[Scored]) -> str:
    """A table for each benchmark, a row for each model; '' without figures."""
    parts = []
    for bench in dict.fromkeys(one.bench for one in scored):
        mine = [one for one in scored if one.bench == bench]
        main = next((name for name in _BY_LANGUAGE if name in mine[0].figures), None)
        if main is None:
            continue
        languages = dict.fromkeys(code for one in mine for code in one.languages)
        columns = {f"{main}/{code}": language_name(code) for code in languages}
        columns |= {name: name for name in _OVER_ALL if name in mine[0].figures}
        rows = [f"| model | {' | '.join(columns.values())} |", "|---" * (len(columns) + 1) + "|"]
        for one in mine:
            cells = (_cell(one.figures.get(column)) for column in columns)
            rows.append(f"| {one.model} | {' | '.join(cells)} |")
        parts.append(f"### {bench}\n\nBy language: {main}.\n\n" + "\n".join(rows))
    return "## Figures\n\nWith 95% intervals.\n\n" + "\n\n".join(parts) if parts else ""


def _cell(figure: Figure | None) -> str:
    return "" if figure is None else f"{figure.value:.3f} [{figure.low:.3f} {figure.high:.3f}]"
