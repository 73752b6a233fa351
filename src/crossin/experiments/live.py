"""What an experiment has so far, while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from crossin.experiments.index import Index
from crossin.metrics.choices import answer_family
from crossin.metrics.families import observed
from crossin.metrics.generation import chrf_family
from crossin.metrics.texts import exact_match_family
from crossin.reports.cells import label, short
from crossin.scoring.predictions import read_predictions

# The figures of the live table: those of options, and of free text.
HEADLINE = ("accuracy", "consistency_2", "kappa_2", "ac3_2", "exact_match", "chrf")


class LiveRows(NamedTuple):
    """Heads of columns, and for each arm its name and cells; an empty cell is not there yet."""

    heads: list[str]
    rows: list[tuple[str, list[str]]]


def live_rows(index: Index, headline: Sequence[str] = HEADLINE) -> LiveRows:
    """Each arm with its `headline` figures, means over the seeds that are finished, without intervals. A
    folder is read once in a process, so that the rows may be asked for every second.

    Raises CrossinError where answers cannot be read.
    """
    found: dict[str, dict[tuple[str, str], list[float]]] = {arm.name: {} for arm in index.arms}
    for arm in index.arms:
        for run in arm.runs:
            for bench, folder in run.answers.items():
                for name, value in _figures(folder).items():
                    found[arm.name].setdefault((bench, name), []).append(value)
    benches = list(dict.fromkeys(bench for figures in found.values() for bench, _ in figures))
    columns = [
        (bench, name)
        for bench in benches
        for name in headline
        if any((bench, name) in figures for figures in found.values())
    ]
    heads = [
        f"{bench} {label(name)}" if len(benches) > 1 else label(name).removesuffix(", mean")
        for bench, name in columns
    ]
    rows = [(arm, [_mean(figures.get(column, [])) for column in columns]) for arm, figures in found.items()]
    return LiveRows(heads, rows)


@lru_cache(maxsize=1024)
def _figures(folder: Path) -> dict[str, float]:
    """The figures of a folder's answers, under the first wording of the prompt."""
    first = read_predictions(folder)[0]
    figures: dict[str, float] = {}
    if first.choices is not None:
        figures |= observed(answer_family(first.choices))
    if first.texts is not None:
        for make in (exact_match_family, chrf_family):
            figures |= observed(make(first.texts))
    return figures


def _mean(values: Sequence[float]) -> str:
    return short(sum(values) / len(values)) if values else ""
