"""What a report reads: runs, the stored answers of any harness to the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import ANSWERS, MANIFEST
from crossin.core.reasons import sentence_of
from crossin.core.results import brief
from crossin.items import Item
from crossin.languages import load_phrases
from crossin.languages.codes import language_name
from crossin.languages.words import phrases_file
from crossin.logs.lines import Line
from crossin.logs.options import LogOptions
from crossin.logs.tables import Cell, Predictions, with_same_golds
from crossin.reports.arms import ReportArm, Runs, by_benchmark, find_arms, names_of, place_of, with_wording
from crossin.reports.common import cells_of, common_part, only, same_question

_OTHER_QUESTIONS = (
    "`crossin report --common` keeps what all runs have; else evaluate them on one benchmark in the same "
    "languages"
)


@dataclass(frozen=True)
class LanguageInfo:
    """A language as the page shows it; the browser finds the direction where it is `auto`."""

    code: str
    name: str
    direction: str


@dataclass(frozen=True, repr=False)
class Run:
    """One model's answers under one wording, under the name that the page gives them. `wordings` are its
    answers under every wording, where there are several and one is reported.
    """

    name: str
    answers: Predictions
    wordings: Sequence[Predictions] = ()

    def __repr__(self) -> str:
        return f"Run({self.name!r}, {self.answers!r})"

    @cached_property
    def cells(self) -> dict[Cell, Line]:
        """Every line of answers by item and language."""
        return cells_of(self.answers)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """How the answers were made, in the sections of a manifest: an evaluation's own, or what the log of
        another harness says.
        """
        log = self.answers.log
        beside = log.file.parent / MANIFEST
        if log.file.name == ANSWERS and beside.is_file():
            found: dict[str, Any] = read_json(beside)
            return found
        settings = {"model": log.model, "benchmark": log.benchmark, "file": str(log.file), **log.settings}
        skipped = {sentence_of(code): count for code, count in log.skipped.items()}
        return {"settings": settings, "skipped": skipped}

    @property
    def unread(self) -> dict[str, int]:
        """How many replies were not read, by reason and language in words."""
        return {
            f"{sentence_of(code)}, {language}": count
            for language, reasons in self.answers.unread.items()
            for code, count in reasons.items()
        }


@dataclass(frozen=True, repr=False)
class Results:
    """All runs in the order given, the baseline's name, and the questions by item and language, as far as the
    logs or the benchmark know them. `excluded` counts the questions in a language that are left out because
    not all runs have them, by reason code.
    """

    runs: list[Run]
    baseline: str
    languages: list[LanguageInfo]
    questions: Mapping[Cell, Item]
    excluded: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        languages = brief([language.code for language in self.languages])
        return f"Results({brief(self.names, 'runs')}, {len(self.items):,} items in {languages})"

    @property
    def benchmark(self) -> str:
        """The benchmark's name; empty where no run's log has it."""
        return next((run.answers.log.benchmark for run in self.runs if run.answers.log.benchmark), "")

    @property
    def items(self) -> list[str]:
        """The items in the order of the first run's tables."""
        return list(dict.fromkeys(item for table in self.runs[0].answers.tables for item in table.items))

    @property
    def incomplete(self) -> dict[str, str]:
        """The items left out, each with the first language that it lacks."""
        return self.runs[0].answers.incomplete

    @property
    def names(self) -> list[str]:
        """The runs' names."""
        return [run.name for run in self.runs]

    def run(self, name: str) -> Run:
        """The run called `name`."""
        return next(run for run in self.runs if run.name == name)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs of runs compared: each with the baseline, and the last (under study) with the first."""
        pairs = [(name, self.baseline) for name in self.names if name != self.baseline]
        first, last = self.names[0], self.names[-1]
        if len(pairs) > 1 and self.baseline not in (first, last):
            pairs.append((last, first))
        return pairs

    @property
    def main_pairs(self) -> list[tuple[str, str]]:
        """The pairs that a terminal shows: without the runs that come before the baseline."""
        place = self.names.index(self.baseline)
        pairs = [(arm, other) for arm, other in self.pairs if self.names.index(arm) > place]
        return pairs or self.pairs


def load(
    runs: Runs,
    baseline: str | None = None,
    wording: str | None = None,
    options: LogOptions | None = None,
    *,
    common: bool = False,
) -> Results:
    """The results of `load_each` where all runs answer one benchmark; else a CrossinError."""
    found = load_each(runs, baseline, wording, options, common=common)
    if len(found) > 1:
        parts = "; ".join(f"{one.benchmark or 'without a name'} ({', '.join(one.names)})" for one in found)
        raise CrossinError(
            f"the runs answer {len(found)} benchmarks: {parts}",
            field="runs",
            hint="report the runs of one benchmark, or all by `crossin report`, which makes a page for each",
        )
    return found[0]


def load_each(
    runs: Runs,
    baseline: str | None = None,
    wording: str | None = None,
    options: LogOptions | None = None,
    *,
    common: bool = False,
) -> list[Results]:
    """Read stored answers: evaluation folders, files of other formats that `find_logs` knows, and folders of
    them; one result for each benchmark, and in it one run for each model.

    runs: paths by name, or paths only, whose runs are then called after their models. baseline: the run that
    the others are compared with, by default the first. wording: of the prompt; by default the first that all
    runs have. common: whether questions that not all runs have are left out. Raises CrossinError where a path
    holds no finished evaluation and no log, or no run with that wording or of the baseline's name, and where
    runs answer different questions without `common`.
    """
    if not runs:
        raise CrossinError("there is no run to report", hint="name at least one evaluation folder")
    arms = find_arms(runs, options or LogOptions())
    groups = [[arms[place] for place in group] for group in by_benchmark([arm.answers for arm in arms])]
    named = [names_of(group) for group in groups]
    if baseline is not None and not any(baseline in names for names in named):
        _check_baseline(baseline, list(dict.fromkeys(name for names in named for name in names)))
    return [
        _results(
            dict(zip(names, with_wording(group, wording), strict=True)),
            baseline if baseline in names else None,
            common=common,
        )
        for names, group in zip(named, groups, strict=True)
    ]


def results_of(arms: Mapping[str, Predictions], baseline: str | None = None) -> Results:
    """The results of answers to one benchmark that were read before, by the run's name; see `load_each`."""
    _check_baseline(baseline, list(arms))
    return _results({name: ReportArm(name, answers, ()) for name, answers in arms.items()}, baseline)


def _results(arms: Mapping[str, ReportArm], baseline: str | None, *, common: bool = False) -> Results:
    found = with_same_golds([arm.answers for arm in arms.values()])
    runs = [Run(name, one, arm.wordings) for (name, arm), one in zip(arms.items(), found, strict=True)]
    excluded: dict[str, int] = {}
    if common:
        cells, excluded = common_part(found)
        runs = [_only(run, cells) for run in runs] if excluded else runs
    for other in runs[1:]:
        _check_same_questions(runs[0], other)
    languages = [_describe(code) for code in runs[0].answers.languages]
    questions: dict[Cell, Item] = {}
    for run in runs:
        for item in run.answers.log.items:
            questions.setdefault((item.item, item.language), item)
    return Results(runs, baseline or runs[0].name, languages, questions, excluded)


def _only(run: Run, cells: set[Cell]) -> Run:
    tables = only(run.answers, cells)
    return Run(run.name, tables[run.answers.prompt], tuple(tables.values()) if run.wordings else ())


def _check_baseline(baseline: str | None, names: list[str]) -> None:
    if baseline is not None and baseline not in names:
        raise CrossinError(f"no run is called '{baseline}'", hint=f"choose among: {', '.join(names)}")


def _describe(code: str) -> LanguageInfo:
    if phrases_file(code):
        phrases = load_phrases(code)
        return LanguageInfo(code, phrases.name, phrases.direction)
    return LanguageInfo(code, language_name(code).partition(" ")[2] or code, "auto")


def _check_same_questions(first: Run, other: Run) -> None:
    """Runs are compared item by item: same items and languages, same options, same right answers."""
    ours, theirs = set(first.cells), set(other.cells)
    if ours != theirs:
        item, language = sorted(ours ^ theirs)[0]
        asked, lacking = (first, other) if (item, language) in ours else (other, first)
        raise CrossinError(
            f"the runs were asked different questions: '{asked.name}' has the item '{item}' in '{language}', "
            f"'{lacking.name}' has not ({len(ours ^ theirs)} such cells)",
            file=place_of(lacking.answers),
            hint=_OTHER_QUESTIONS,
        )
    ids, also_ids = (
        {name: inventory.ids for name, inventory in run.answers.log.inventories.items()}
        for run in (first, other)
    )
    for name in dict.fromkeys(line.get("inventory") for line in first.cells.values()):
        # Positions in tables mean the same entities.
        if name and ids[name] != also_ids.get(name):
            raise CrossinError(
                f"the inventory '{name}' holds other entities than in '{first.name}'",
                file=place_of(other.answers),
                hint=_OTHER_QUESTIONS,
            )
    for (item, language), ask in first.cells.items():
        if not same_question(ask, other.cells[item, language]):
            raise CrossinError(
                f"the item '{item}' in '{language}' has other options or another gold than in '{first.name}'",
                file=place_of(other.answers),
                hint=_OTHER_QUESTIONS,
            )
