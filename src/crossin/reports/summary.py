"""Every figure of a report, with its interval: by run, by task, and as paired differences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from crossin.metrics.bootstrap import DRAWS, Figure, differences, intervals
from crossin.metrics.significance import corrected, holm, mcnemar
from crossin.metrics.table import AnswerTable, by_task
from crossin.reports.cells import figures_json, is_significant, number
from crossin.reports.results import Results

PAPER = (
    "accuracy, consistency_s and AC3_s are the paper's; added here are kappa_s (consistency corrected for "
    "chance, after Conger), right_s and wrong_s (its right and wrong parts)"
)
# With more languages a table shows consistency for two and for all only; plots and JSON have every s.
_MOST_LANGUAGES = 6

Figures = dict[str, Figure]


@dataclass(frozen=True)
class McNemar:
    """p-values of McNemar's test on accuracy in one language: alone, and corrected by Holm's method."""

    p: float
    holm: float


@dataclass(frozen=True, repr=False)
class Summary:
    """All figures; `by_task` is by run, then by task; `tests` by pair of runs, then by language."""

    results: Results
    by_arm: dict[str, Figures]
    by_pair: dict[tuple[str, str], Figures]
    by_task: dict[str, dict[str, Figure]]
    tests: dict[tuple[str, str], dict[str, McNemar]]
    chance: float

    def __repr__(self) -> str:
        return f"Summary({self.results!r})"

    @property
    def groups(self) -> int:
        """How many groups of questions (countries, paragraphs) the intervals are drawn from."""
        return len(set(self.results.runs[0].table.groups))

    @property
    def parallel(self) -> bool:
        """Whether every question was asked in every language, and not each in one only."""
        return self.results.runs[0].table.parallel

    @property
    def sizes(self) -> list[int]:
        """Every s, the number of languages that must agree; none where they were not asked the same."""
        return list(range(2, len(self.results.languages) + 1)) if self.parallel else []

    @property
    def shown_sizes(self) -> list[int]:
        """The s that a table shows."""
        return self.sizes if len(self.sizes) < _MOST_LANGUAGES else [self.sizes[0], self.sizes[-1]]

    @property
    def rows(self) -> list[str]:
        """The figures that a table shows, in its order."""
        rows = [f"accuracy/{language.code}" for language in self.results.languages]
        if not self.sizes:
            return rows + ["accuracy"] * (len(rows) > 1) + self._missing
        rows += ["accuracy", *(f"consistency_{s}" for s in self.shown_sizes), "kappa_2", "right_2", "wrong_2"]
        return rows + [f"ac3_{s}" for s in self.shown_sizes] + self._missing

    def corrected(self, pair: tuple[str, str]) -> dict[str, float]:
        """The p-values of the table's differences between two runs, after Holm's correction: McNemar's for
        accuracy in a language, else the bootstrap's (`crossin.metrics.significance.corrected`).
        """
        languages = {f"accuracy/{language}": test.p for language, test in self.tests[pair].items()}
        figures = self.by_pair[pair]
        return corrected({key: languages.get(key, figures[key].p) for key in self.rows if key in figures})

    def is_significant(self, pair: tuple[str, str], key: str) -> bool:
        """Whether the table marks this difference between two runs."""
        found = self.by_pair[pair].get(key)
        return found is not None and is_significant(found, self.corrected(pair).get(key))

    @property
    def _missing(self) -> list[str]:
        return ["missing"] if any(figures["missing"].value > 0 for figures in self.by_arm.values()) else []


def summarize(results: Results, *, draws: int = DRAWS, seed: int = 0) -> Summary:
    """Compute every figure of a report."""
    tables = {run.name: run.table for run in results.runs}
    pairs = {(arm, other): (tables[arm], tables[other]) for arm, other in results.pairs}
    return Summary(
        results,
        {name: intervals(table, draws=draws, seed=seed) for name, table in tables.items()},
        {pair: differences(*both, draws=draws, seed=seed) for pair, both in pairs.items()},
        {name: _accuracy_by_task(table, draws, seed) for name, table in tables.items()},
        {pair: _tested(*both) for pair, both in pairs.items()},
        chance=float(np.mean(1 / results.runs[0].table.options)),
    )


def _accuracy_by_task(table: AnswerTable, draws: int, seed: int) -> Figures:
    return by_task(table, lambda part: intervals(part, draws=draws, seed=seed)["accuracy"])


def _tested(table: AnswerTable, other: AnswerTable) -> dict[str, McNemar]:
    alone = mcnemar(table, other)
    corrected = holm(alone)
    return {language: McNemar(p, corrected[language]) for language, p in alone.items()}


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
                "corrected": {key: number(p) for key, p in summary.corrected((arm, other)).items()},
                "mcnemar": {
                    language: {"p": number(test.p), "holm": number(test.holm)}
                    for language, test in summary.tests[arm, other].items()
                },
            }
            for (arm, other), figures in summary.by_pair.items()
        ],
    }
