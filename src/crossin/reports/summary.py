"""Every figure of a report, with its interval: by arm, by task, and as paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crossin.metrics import DRAWS, AnswerTable, Figure, differences, holm, intervals, mcnemar, select
from crossin.reports.cells import figures_json, number
from crossin.reports.results import Results

PAPER = (
    "accuracy, consistency_s and AC3_s are the paper's; added here are kappa_s (consistency corrected for "
    "chance, after Conger), right_s and wrong_s (its right and wrong parts)"
)
# Above this many languages a table shows consistency for two and for all; plots and JSON keep every s.
_MOST_LANGUAGES = 6

Figures = dict[str, Figure]


@dataclass(frozen=True)
class Test:
    """p-values of McNemar's test on accuracy in one language: alone, and by Holm among all languages."""

    p: float
    holm: float


@dataclass(frozen=True)
class Summary:
    """All figures; `by_task` is by arm, then by task; `tests` by pair, then by language."""

    results: Results
    by_arm: dict[str, Figures]
    by_pair: dict[tuple[str, str], Figures]
    by_task: dict[str, dict[str, Figure]]
    tests: dict[tuple[str, str], dict[str, Test]]
    chance: float

    @property
    def groups(self) -> int:
        """How many groups of questions (countries, paragraphs) the intervals are drawn from."""
        return len(set(self.results.runs[0].table.groups))

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


def summarize(results: Results, *, draws: int = DRAWS, seed: int = 0) -> Summary:
    """Compute every figure of a report."""
    by_arm = {run.name: intervals(run.table, draws=draws, seed=seed) for run in results.runs}
    by_pair = {
        (arm, other): differences(results.run(arm).table, results.run(other).table, draws=draws, seed=seed)
        for arm, other in results.pairs
    }
    by_task = {run.name: _accuracy_by_task(run.table, draws, seed) for run in results.runs}
    tests = {
        (arm, other): _tested(results.run(arm).table, results.run(other).table)
        for arm, other in results.pairs
    }
    chance = float(np.mean(1 / results.runs[0].table.options))
    return Summary(results, by_arm, by_pair, by_task, tests, chance)


def _accuracy_by_task(table: AnswerTable, draws: int, seed: int) -> dict[str, Figure]:
    return {
        task: intervals(select(table, tasks=[task]), draws=draws, seed=seed)["accuracy"]
        for task in dict.fromkeys(table.tasks)
    }


def _tested(table: AnswerTable, other: AnswerTable) -> dict[str, Test]:
    alone = mcnemar(table, other)
    together = holm(alone)
    return {language: Test(alone[language], together[language]) for language in alone}


def to_json(summary: Summary) -> dict[str, Any]:
    """All figures as JSON values."""
    results = summary.results
    return {
        "baseline": results.baseline,
        "chance": round(summary.chance, 6),
        "groups": summary.groups,
        "items": len(results.items),
        "incomplete": dict(results.runs[0].table.incomplete),
        "languages": [language.code for language in results.languages],
        "note": PAPER,
        "arms": [
            {
                "name": name,
                "figures": figures_json(summary.by_arm[name]),
                "accuracy_by_task": figures_json(summary.by_task[name]),
            }
            for name in results.names
        ],
        "differences": [
            {
                "arm": arm,
                "to": other,
                "figures": figures_json(figures),
                "mcnemar": {
                    language: {"p": number(test.p), "holm": number(test.holm)}
                    for language, test in summary.tests[arm, other].items()
                },
            }
            for (arm, other), figures in summary.by_pair.items()
        ],
    }
