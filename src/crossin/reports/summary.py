"""Every figure of a report, with its interval: by run, by task, and as paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crossin.core.errors import located
from crossin.logs.traits import Shortest, option_traits, shortest_options
from crossin.metrics.bootstrap import DRAWS, Drawn, Figure, estimates, figure_of, resample
from crossin.metrics.choices import answer_family
from crossin.metrics.difference_parts import has_missing, split
from crossin.metrics.families import Family
from crossin.metrics.free_text import text_families
from crossin.metrics.option_bias import bias_families
from crossin.metrics.outcomes import outcome_family
from crossin.metrics.pairwise import agreement_family, agreement_parts_family, pivot_family
from crossin.metrics.pivot_transfer import default_pivot, transfer_family
from crossin.metrics.significance import corrected, holm, mcnemar
from crossin.metrics.table import AnswerTable, aligned, by_task
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
# What a page compares besides its table: languages with the pivot, every two, and outcomes of questions.
_COMPARED = (
    "kept/",
    "gained/",
    "transfer/",
    "pivot/",
    "agreement/",
    "kappa/",
    "right/",
    "wrong/",
    "outcome/",
)
# With more languages there are no figures of every two: 30 languages have 435 pairs.
_MOST_PAIRED = 30
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
    """All figures; `by_task` is by run, then by task; `tests` by pair of runs, then by language. Figures of
    every two languages are those of the `main_pair`, or of the only run.

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
    def subject(self) -> str:
        """The run under study."""
        return _subject(self.results)

    @property
    def main_pair(self) -> tuple[str, str] | None:
        """The run under study and the baseline; None where there is one run."""
        pair = (self.subject, self.results.baseline)
        return pair if pair in self.results.pairs else None

    @property
    def pivot(self) -> str:
        """The language that `kept`, `gained`, `transfer` and `pivot` refer to."""
        return default_pivot(self.choice_languages)

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

    def p_values(self, pair: tuple[str, str]) -> dict[str, float]:
        """The p-values of the page's differences between two runs, each by itself: McNemar's for accuracy in
        a language, else the bootstrap's; nan where undefined.
        """
        languages = {f"accuracy/{language}": test.p for language, test in self.tests[pair].items()}
        figures = self.by_pair[pair]
        shown = [*self.rows, *(key for key in figures if key.startswith(_COMPARED))]
        return {key: languages.get(key, figures[key].p) for key in shown if key in figures}

    def corrected(self, pair: tuple[str, str]) -> dict[str, float]:
        """The same after Holm's correction (`crossin.metrics.significance.corrected`)."""
        return corrected(self.p_values(pair))

    def is_significant(self, pair: tuple[str, str], key: str) -> bool:
        """Whether the page marks this difference between two runs."""
        found = self.by_pair[pair].get(key)
        return found is not None and is_significant(found, self.corrected(pair).get(key))


def summarize(results: Results, *, draws: int = DRAWS, seed: int = 0) -> Summary:
    """Compute every figure of a report."""
    tables = _tables(results)
    tested, shortest = results.pairs, shortest_options(results.questions.values())
    by_arm: dict[str, Figures] = {}
    by_pair: dict[tuple[str, str], Figures] = {}
    # Of most runs, draws are needed only until they are compared.
    held: dict[str, dict[str, Drawn]] = {}
    for name in sorted(results.names, key=lambda name: name != results.baseline):
        drawn = _drawn(results, name, tables.get(name), shortest, draws, seed)
        by_arm[name] = {
            # Of one run, only an excess is compared with 0.
            key: figure_of(*one, tested="_excess" in key)
            for key, one in drawn.items()
        }
        for arm, other in tested:
            if arm == name:
                by_pair[arm, other] = paired_differences(drawn, held[other])
        if name in (results.baseline, results.names[0]):
            held[name] = drawn
    compared = {pair: (tables[pair[0]], tables[pair[1]]) for pair in tested if pair[0] in tables}
    return Summary(
        results,
        {name: by_arm[name] for name in results.names},
        {pair: by_pair[pair] for pair in tested},
        {name: _accuracy_by_task(table, draws, seed) for name, table in tables.items()},
        {pair: tested_languages(*compared[pair]) if pair in compared else {} for pair in tested},
        chance=_chance(results.runs[0].answers.choices),
        parts={
            pair: split(ours, theirs, draws=draws, seed=seed)
            for pair, (ours, theirs) in compared.items()
            if has_missing(ours) or has_missing(theirs)
        },
    )


def _subject(results: Results) -> str:
    """The last run, or the first where the last is the baseline."""
    first, last = results.names[0], results.names[-1]
    return last if last != results.baseline else first


def _tables(results: Results) -> dict[str, AnswerTable]:
    """Each run's table of options, in the first run's order; none where there are no options."""
    first, found = results.runs[0].answers.choices, {}
    for run in results.runs:
        if first is not None and run.answers.choices is not None:
            with located(run.answers.file):
                found[run.name] = aligned(run.answers.choices, first)
    return found


def _drawn(
    results: Results, name: str, table: AnswerTable | None, shortest: Shortest, draws: int, seed: int
) -> dict[str, Drawn]:
    """Every figure of a run, as observed and in each draw."""
    found: dict[str, Drawn] = {}
    if table is not None:
        paired = name in (results.baseline, _subject(results))
        traits = option_traits(results.run(name).answers, table, shortest)
        families = [answer_family(table), *_of_languages(table, paired=paired), *bias_families(traits)]
        found = estimates(families, table.groups, draws=draws, seed=seed)
    if of_texts := results.runs[0].answers.texts:
        families = _text_families(results.run(name), results.runs[0])
        found |= estimates(families, of_texts.groups, draws=draws, seed=seed)
    return found


def _of_languages(table: AnswerTable, *, paired: bool) -> list[Family]:
    """What languages have in common, where they were asked the same."""
    if not table.parallel or len(table.languages) < 2:
        return []
    pivot = default_pivot(table.languages)
    found = [pivot_family(table, pivot), transfer_family(table, pivot), outcome_family(table)]
    if paired and len(table.languages) <= _MOST_PAIRED:
        found += [agreement_family(table), agreement_parts_family(table)]
    return found


def paired_differences(ours: Mapping[str, Drawn], theirs: Mapping[str, Drawn]) -> Figures:
    """Paired differences of those figures that both have."""
    return {
        key: figure_of(one.value - other.value, one.draws - other.draws, tested=True)
        for key, one in ours.items()
        if (other := theirs.get(key)) is not None
    }


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
    def accuracy(part: AnswerTable) -> Figure:
        return resample([answer_family(part, ())], part.groups, draws=draws, seed=seed)["accuracy"]

    return by_task(table, accuracy)


def tested_languages(table: AnswerTable, other: AnswerTable) -> dict[str, McNemar]:
    """McNemar's test in each language."""
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
        "pivot": summary.pivot if summary.sizes else None,
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
