"""Every figure of a report, with its interval: by arm, by task, and as paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from crossin.metrics import AnswerTable, Figure, differences, intervals
from crossin.report.load import Results

PAPER = (
    "accuracy, consistency_s and AC3_s are the paper's; kappa_s (consistency corrected for chance), "
    "right_s and wrong_s (its right and wrong parts) are ours"
)
# Above this many languages a table shows consistency for two and for all of them; plots and JSON keep every s.
_MOST_LANGUAGES = 6

Figures = dict[str, Figure]


@dataclass(frozen=True)
class Summary:
    """All figures; `by_task` is by arm, then by task."""

    results: Results
    by_arm: dict[str, Figures]
    by_pair: dict[tuple[str, str], Figures]
    by_task: dict[str, dict[str, Figure]]
    chance: float

    @property
    def sizes(self) -> list[int]:
        """Every s: how many languages must agree."""
        return list(range(2, len(self.results.languages) + 1))

    @property
    def shown_sizes(self) -> list[int]:
        """The s that a table has room for."""
        return self.sizes if len(self.sizes) < _MOST_LANGUAGES else [self.sizes[0], self.sizes[-1]]

    @property
    def rows(self) -> list[str]:
        """The figures that a table shows, in its order."""
        rows = [f"accuracy/{language.code}" for language in self.results.languages]
        if not self.sizes:
            return rows + self._missing
        rows += ["accuracy", *(f"consistency_{s}" for s in self.shown_sizes), "kappa_2", "right_2", "wrong_2"]
        return rows + [f"ac3_{s}" for s in self.shown_sizes] + self._missing

    @property
    def _missing(self) -> list[str]:
        return ["missing"] if any(figures["missing"].value > 0 for figures in self.by_arm.values()) else []


def summarize(results: Results, *, draws: int = 2000, seed: int = 0) -> Summary:
    """Compute every figure of a report."""
    by_arm = {run.name: intervals(run.table, draws=draws, seed=seed) for run in results.runs}
    by_pair = {
        (arm, other): differences(results.run(arm).table, results.run(other).table, draws=draws, seed=seed)
        for arm, other in results.pairs
    }
    by_task = {run.name: _accuracy_by_task(run.table, draws, seed) for run in results.runs}
    chance = float(np.mean(1 / np.asarray(results.runs[0].table.options, dtype=float)))
    return Summary(results, by_arm, by_pair, by_task, chance)


def _accuracy_by_task(table: AnswerTable, draws: int, seed: int) -> dict[str, Figure]:
    return {
        task: intervals(_only(table, task), draws=draws, seed=seed)["accuracy"]
        for task in dict.fromkeys(map(str, table.tasks))
    }


def _only(table: AnswerTable, task: str) -> AnswerTable:
    places = [place for place, name in enumerate(table.tasks) if str(name) == task]
    return replace(
        table,
        items=_take(table.items, places),
        groups=_take(table.groups, places),
        tasks=_take(table.tasks, places),
        answers=table.answers[places],
        gold=table.gold[places],
        options=table.options[places],
    )


def _take(values: Any, places: list[int]) -> Any:
    """The values at `places`, in a container of the same kind."""
    return (
        values[places] if isinstance(values, np.ndarray) else type(values)(values[place] for place in places)
    )


def excludes_zero(figure: Figure) -> bool:
    """Whether a difference is larger than chance alone makes likely."""
    return figure.low > 0 or figure.high < 0


def to_json(summary: Summary) -> dict[str, Any]:
    """All figures as JSON values."""
    results = summary.results
    return {
        "baseline": results.baseline,
        "chance": round(summary.chance, 6),
        "items": len(results.items),
        "languages": [language.code for language in results.languages],
        "note": PAPER,
        "arms": [
            {
                "name": name,
                "figures": _figures(summary.by_arm[name]),
                "accuracy_by_task": _figures(summary.by_task[name]),
            }
            for name in results.names
        ],
        "differences": [
            {"arm": arm, "to": other, "figures": _figures(figures)}
            for (arm, other), figures in summary.by_pair.items()
        ],
    }


def _figures(figures: Figures) -> dict[str, dict[str, float | None]]:
    return {
        key: {"value": number(figure.value), "low": number(figure.low), "high": number(figure.high)}
        for key, figure in figures.items()
    }


def number(value: float) -> float | None:
    """A figure as JSON can hold it: rounded, and null where it is undefined."""
    return None if math.isnan(value) else round(float(value), 6)
