"""Every figure of a report, with its interval: by run, by task, and as paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossin.core.errors import located
from crossin.metrics.bootstrap import DRAWS, Figure, differences, intervals, resample, resample_difference
from crossin.metrics.difference_parts import has_missing, split
from crossin.metrics.families import Family
from crossin.metrics.free_text import text_families
from crossin.metrics.significance import corrected, holm, mcnemar
from crossin.metrics.table import AnswerTable, by_task
from crossin.metrics.texts import TextTable, aligned_texts
from crossin.reports.cells import figures_json, is_significant, number
from crossin.reports.results import Results, Run

PAPER = (
    "accuracy, consistency_s and AC3_s are the paper's; added here are kappa_s (consistency corrected for "
    "chance, after Conger), right_s and wrong_s (its right and wrong parts)"
)
# With more languages a table shows consistency for two and for all only; plots and JSON have every s.
_MOST_LANGUAGES = 6
# Of free text, in the order of the table. `missing` is that of replies here, where the table of answers has
# one of options.
NO_REPLY = "no_reply"
TEXT_FIGURES = (
    "exact_match",
    "containment",
    "f1",
    "chrf",
    "in_language",
    "fidelity",
    "undecided",
    NO_REPLY,
)
# Shown where there are any.
_FAULTS = ("undecided", NO_REPLY)

Figures = dict[str, Figure]


@dataclass(frozen=True)
class McNemar:
    """p-values of McNemar's test on accuracy in one language: alone, and corrected by Holm's method."""

    p: float
    holm: float


@dataclass(frozen=True, repr=False)
class Summary:
    """All figures; `by_task` is by run, then by task; `tests` by pair of runs, then by language.

    `parts` are what a difference in accuracy is made of (`split_family`), for pairs of runs that left some
    question without an answer. `chance` is how often guessing would be right among lists of choices; nan
    where there are none.
    """

    results: Results
    by_arm: dict[str, Figures]
    by_pair: dict[tuple[str, str], Figures]
    by_task: dict[str, dict[str, Figure]]
    tests: dict[tuple[str, str], dict[str, McNemar]]
    chance: float
    parts: dict[tuple[str, str], Figures] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Summary({self.results!r})"

    @property
    def groups(self) -> int:
        """How many groups of questions (countries, paragraphs) the intervals are drawn from."""
        return len({group for table in self.results.runs[0].answers.tables for group in table.groups})

    @property
    def parallel(self) -> bool:
        """Whether every question was asked in every language, and not each in one only."""
        return self.results.runs[0].answers.parallel

    @property
    def choice_languages(self) -> tuple[str, ...]:
        """The languages in which answers are options."""
        choices = self.results.runs[0].answers.choices
        return choices.languages if choices else ()

    @property
    def text_languages(self) -> tuple[str, ...]:
        """The languages answered in free text."""
        texts = self.results.runs[0].answers.texts
        return texts.languages if texts else ()

    @property
    def sizes(self) -> list[int]:
        """Every s, the number of languages that must agree; none where they were not asked the same."""
        choices = self.results.runs[0].answers.choices
        return list(range(2, len(choices.languages) + 1)) if choices and choices.parallel else []

    @property
    def shown_sizes(self) -> list[int]:
        """The s that a table shows."""
        return self.sizes if len(self.sizes) < _MOST_LANGUAGES else [self.sizes[0], self.sizes[-1]]

    @property
    def rows(self) -> list[str]:
        """The figures that the page's table shows, in its order."""
        return self._choice_rows + [row for name in TEXT_FIGURES for row in self._text_rows(name)]

    @property
    def main_rows(self) -> list[str]:
        """The figures that a terminal shows: of free text, only exact match and chrF in each language."""
        main = ("accuracy", "exact_match", "chrf")
        several = len(self.text_languages) > 1
        return [row for row in self.rows if "/" not in row or row.startswith(main) or not several]

    @property
    def _choice_rows(self) -> list[str]:
        rows = [f"accuracy/{language}" for language in self.choice_languages]
        if not self.sizes:
            return rows + ["accuracy"] * (len(rows) > 1) + self._missing_rows
        rows += ["accuracy", *(f"consistency_{s}" for s in self.shown_sizes), "kappa_2", "right_2", "wrong_2"]
        return rows + [f"ac3_{s}" for s in self.shown_sizes] + self._missing_rows

    @property
    def _missing_rows(self) -> list[str]:
        """How many questions were answered, where replies name entities; else how many answers are missing,
        where any is.
        """
        if not any("answered" in figures for figures in self.by_arm.values()):
            return ["missing"] * self._any("missing")
        rows = [f"answered/{language}" for language in self.choice_languages]
        return rows + ["answered"] * (len(rows) > 1)

    def _text_rows(self, name: str) -> list[str]:
        if not self.text_languages or (name in _FAULTS and not self._any(name)):
            return []
        rows = [f"{name}/{language}" for language in self.text_languages]
        return rows + [name] * (len(rows) > 1)

    def _any(self, name: str) -> bool:
        """Whether a figure that should be 0 is not, in some run."""
        return any(name in figures and figures[name].value > 0 for figures in self.by_arm.values())

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


def summarize(results: Results, *, draws: int = DRAWS, seed: int = 0) -> Summary:
    """Compute every figure of a report."""
    runs = {run.name: run for run in results.runs}
    tables = {name: run.answers.choices for name, run in runs.items()}
    texts = {name: _text_families(run, results.runs[0]) for name, run in runs.items()}
    of_texts = results.runs[0].answers.texts
    by_arm: dict[str, Figures] = {}
    for name, table in tables.items():
        by_arm[name] = intervals(table, draws=draws, seed=seed) if table else {}
        if of_texts:
            by_arm[name] |= resample(texts[name], of_texts.groups, draws=draws, seed=seed)
    by_pair: dict[tuple[str, str], Figures] = {}
    tests: dict[tuple[str, str], dict[str, McNemar]] = {}
    parts: dict[tuple[str, str], Figures] = {}
    for arm, other in results.pairs:
        ours, theirs = tables[arm], tables[other]
        by_pair[arm, other] = {}
        tests[arm, other] = {}
        if ours and theirs:
            with located(runs[other].answers.file):
                by_pair[arm, other] = differences(ours, theirs, draws=draws, seed=seed)
            tests[arm, other] = _tested(ours, theirs)
            if has_missing(ours) or has_missing(theirs):
                parts[arm, other] = split(ours, theirs, draws=draws, seed=seed)
        if of_texts:
            by_pair[arm, other] |= resample_difference(
                texts[arm], texts[other], of_texts.groups, draws=draws, seed=seed
            )
    return Summary(
        results,
        by_arm,
        by_pair,
        {name: _accuracy_by_task(table, draws, seed) for name, table in tables.items() if table},
        tests,
        chance=_chance(results.runs[0].answers.choices),
        parts=parts,
    )


def _chance(table: AnswerTable | None) -> float:
    """How often guessing is right; nan where no item has a list of choices: names are not guessed."""
    return float(table.guessing.mean()) if table is not None and table.guessing.any() else math.nan


def _text_families(run: Run, first: Run) -> list[Family]:
    """The families of a run's free text, over the items in the first run's order."""
    texts, like = run.answers.texts, first.answers.texts
    if texts is None or like is None:
        return []
    with located(run.answers.file):
        return reply_families(aligned_texts(texts, like))


def reply_families(texts: TextTable) -> list[Family]:
    """The families of a table of free text, with `missing`, the share without a reply, as `no_reply`."""
    return list(map(_renamed, text_families(texts)))


def _renamed(family: Family) -> Family:

    def estimate(sums: Any) -> dict[str, Any]:
        found = family.estimate(sums)
        return {
            f"{NO_REPLY}{name[7:]}" if name.startswith("missing") else name: x for name, x in found.items()
        }

    return Family(family.columns, estimate)


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
        "chance": number(summary.chance),
        "groups": summary.groups,
        "items": len(results.items),
        "incomplete": results.incomplete,
        "languages": [language.code for language in results.languages],
        "note": PAPER,
        "arms": [_arm_json(summary, run) for run in results.runs],
        "differences": [
            {
                "arm": arm,
                "to": other,
                "figures": figures_json(figures),
                "corrected": {key: number(p) for key, p in summary.corrected((arm, other)).items()},
                **({"split": figures_json(found)} if (found := summary.parts.get((arm, other))) else {}),
                "mcnemar": {
                    language: {"p": number(test.p), "holm": number(test.holm)}
                    for language, test in summary.tests[arm, other].items()
                },
            }
            for (arm, other), figures in summary.by_pair.items()
        ],
    }


def _arm_json(summary: Summary, run: Run) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": run.name,
        "figures": figures_json(summary.by_arm[run.name]),
        "accuracy_by_task": figures_json(summary.by_task.get(run.name, {})),
    }
    counted: Mapping[str, Any] = {
        "unread": run.answers.unread,
        "skipped": run.answers.log.skipped,
        "reported": run.answers.log.reported,
    }
    return made | {name: dict(value) for name, value in counted.items() if value}
