"""The figures as they would be had another rule chosen between options whose texts were scored."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from crossin.logs.choices import CHOICES, answers_by_choice, choice_of
from crossin.metrics.bootstrap import DRAWS, estimates, figure_of
from crossin.metrics.choices import answer_family
from crossin.metrics.table import AnswerTable, aligned
from crossin.reports.cells import figures_json, number
from crossin.reports.summary import Summary, paired_differences, tested_languages


@dataclass(frozen=True)
class ChangedMark:
    """A figure whose main difference has a mark on the page, and by another choice none, or one in the other
    direction (`reverses`).
    """

    choice: str
    figure: str
    reverses: bool


def by_choices(summary: Summary, *, draws: int = DRAWS, seed: int = 0) -> dict[str, Summary]:
    """The figures of all runs, and the main difference, by each of CHOICES: the log-probability of an option
    as it is, for each of its tokens, or for each of its bytes. What a choice does not change is as it was.

    Empty where some run has no log-probabilities of options, or options without texts or tokens.
    """
    tables, own = _tables(summary), own_choice(summary)
    found: dict[str, Summary] = {}
    for choice in CHOICES if tables else ():
        of_choice = {name: of[choice] for name, of in tables.items()}
        found[choice] = summary if choice == own else _with(summary, of_choice, draws, seed)
    return found


def own_choice(summary: Summary) -> str:
    """What decided between the options of all runs; empty where they differ in it."""
    own = {choice_of(run.answers) for run in summary.results.runs}
    return own.pop() if len(own) == 1 else ""


def changed_marks(summary: Summary, choices: Mapping[str, Summary]) -> list[ChangedMark]:
    """The marks of the main difference that vanish or reverse by another choice."""
    pair = summary.main_pair
    if pair is None:
        return []
    return [
        ChangedMark(choice, key, reverses=then != 0)
        for choice, other in choices.items()
        for key in summary.rows
        if (now := _mark(summary, pair, key)) and now != (then := _mark(other, pair, key))
    ]


def _mark(summary: Summary, pair: tuple[str, str], key: str) -> int:
    """1 for a marked rise, -1 for a marked fall, else 0."""
    if not summary.is_significant(pair, key):
        return 0
    return int(math.copysign(1, summary.by_pair[pair][key].value))


def _tables(summary: Summary) -> dict[str, dict[str, AnswerTable]]:
    """By run and choice; empty where one run lacks them."""
    found = {run.name: answers_by_choice(run.answers) for run in summary.results.runs}
    return found if all(found.values()) else {}


def _with(summary: Summary, tables: Mapping[str, AnswerTable], draws: int, seed: int) -> Summary:
    """The summary with the figures of these tables in place of its own."""
    first = next(iter(tables.values()))
    same = {name: aligned(table, first) for name, table in tables.items()}
    drawn = {
        name: estimates([answer_family(table, summary.shown_sizes)], first.groups, draws=draws, seed=seed)
        for name, table in same.items()
    }
    by_arm = {
        name: summary.by_arm[name] | {key: figure_of(*one) for key, one in of_run.items()}
        for name, of_run in drawn.items()
    }
    if (pair := summary.main_pair) is None:
        return replace(summary, by_arm=by_arm)
    arm, other = pair
    changed = summary.by_pair[pair] | paired_differences(drawn[arm], drawn[other])
    tests = {pair: tested_languages(same[arm], same[other])}
    return replace(summary, by_arm=by_arm, by_pair={pair: changed}, tests=tests)


def choices_json(summary: Summary, choices: Mapping[str, Summary]) -> dict[str, Any]:
    """The figures of options by each choice as JSON values; nothing where there is no choice."""
    if not choices:
        return {}
    pair, rows = summary.main_pair, summary.rows
    found: dict[str, dict[str, Any]] = {}
    for choice, other in choices.items():
        arms = {
            name: figures_json({key: figures[key] for key in rows if key in figures})
            for name, figures in other.by_arm.items()
        }
        found[choice] = {"arms": [{"name": name, "figures": one} for name, one in arms.items()]}
        if pair:
            differences = {key: other.by_pair[pair][key] for key in rows if key in other.by_pair[pair]}
            found[choice]["difference"] = {
                "arm": pair[0],
                "to": pair[1],
                "figures": figures_json(differences),
                "corrected": {key: number(p) for key, p in other.corrected(pair).items()},
            }
    changed = [asdict(one) for one in changed_marks(summary, choices)]
    return {"choice": own_choice(summary), "choices": found, "changed_marks": changed}
