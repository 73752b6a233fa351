"""What a report reads: runs, the stored answers of any harness to the same questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.core.formats import ANSWERS, CLAIM, ITEMS, MANIFEST
from crossin.core.paths import as_path
from crossin.core.reasons import sentence_of
from crossin.core.results import brief
from crossin.items import Item
from crossin.languages import available, load_words
from crossin.languages.codes import language_name
from crossin.logs.find import find_logs, read_logs
from crossin.logs.lines import Line
from crossin.logs.options import LogOptions
from crossin.logs.tables import Cell, Predictions, tables_of_log, with_same_golds

_OTHER_QUESTIONS = "evaluate the runs on one benchmark in the same languages, or report each by itself"
_EVALUATE = "check the path, or finish the evaluation"


@dataclass(frozen=True)
class LanguageInfo:
    """A language as the page shows it; the browser finds the direction where it is `auto`."""

    code: str
    name: str
    direction: str


@dataclass(frozen=True, repr=False)
class Run:
    """One model's answers under one wording, under the name that the page gives them."""

    name: str
    answers: Predictions

    def __repr__(self) -> str:
        return f"Run({self.name!r}, {self.answers!r})"

    @cached_property
    def cells(self) -> dict[Cell, Line]:
        """Every line of answers by item and language."""
        lines = self.answers.log.lines
        asked = (line for line in lines if (line.get("prompt") or "") == self.answers.prompt)
        return {(line["item"], line["language"]): line for line in asked}

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
    logs or the benchmark know them.
    """

    runs: list[Run]
    baseline: str
    languages: list[LanguageInfo]
    questions: Mapping[Cell, Item]

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
    runs: Mapping[str, Path | str],
    baseline: str | None = None,
    wording: str | None = None,
    options: LogOptions | None = None,
) -> Results:
    """Read the stored answers of each run by its name: an evaluation's folder, or a file or folder of another
    format that `find_logs` knows.

    baseline: the run that the others are compared with, by default the first. wording: of the prompt, which
    has to be named where there are several. Raises CrossinError where a path holds several runs, a folder is
    not a finished evaluation or lacks that wording, the runs answer different questions, or no run has the
    baseline's name.
    """
    if not runs:
        raise CrossinError("there is no run to report", hint="name at least one evaluation folder")
    _check_baseline(baseline, list(runs))
    options = options or LogOptions()
    return results_of(
        {name: _read_run(as_path(path), wording, options) for name, path in runs.items()},
        baseline,
    )


def results_of(arms: Mapping[str, Predictions], baseline: str | None = None) -> Results:
    """The results of answers that were read before, by the run's name; see `load`."""
    _check_baseline(baseline, list(arms))
    names, found = list(arms), with_same_golds(list(arms.values()))
    runs = [Run(name, answers) for name, answers in zip(names, found, strict=True)]
    for other in runs[1:]:
        _check_same_questions(runs[0], other)
    languages = [_describe(code) for code in runs[0].answers.languages]
    questions: dict[Cell, Item] = {}
    for run in runs:
        for item in run.answers.log.items:
            questions.setdefault((item.item, item.language), item)
    return Results(runs, baseline or runs[0].name, languages, questions)


def arm_names(found: Sequence[Predictions]) -> dict[str, Predictions]:
    """Answers by a name of their own: the model and the wording, and as much of the file's path as tells
    those of one name apart.
    """
    names = [one.name for one in found]
    places = [_place(one).resolve().parts for one in found]
    for length in range(1, 1 + max(map(len, places), default=0)):
        double = {name for name in names if names.count(name) > 1}
        names = [
            f"{one.name} ({Path(*place[-length:])})" if name in double else name
            for one, place, name in zip(found, places, names, strict=True)
        ]
    return {
        name if names.count(name) == 1 else f"{name} {place}": one
        for place, (name, one) in enumerate(zip(names, found, strict=True), start=1)
    }


def _check_baseline(baseline: str | None, names: list[str]) -> None:
    if baseline is not None and baseline not in names:
        raise CrossinError(f"no run is called '{baseline}'", hint=f"choose among: {', '.join(names)}")


def _describe(code: str) -> LanguageInfo:
    if code in available():
        words = load_words(code)
        return LanguageInfo(code, words.name, words.direction)
    return LanguageInfo(code, language_name(code).partition(" ")[2] or code, "auto")


def _read_run(path: Path, wording: str | None, options: LogOptions) -> Predictions:
    _check_finished(path)
    files = find_logs(path, options)
    logs = read_logs(files[0], options) if len(files) == 1 else []
    if len(logs) != 1:
        raise CrossinError(
            f"holds {len(logs) or len(files)} runs",
            file=path,
            hint="name a file of one run, or make a page of all: crossin score PATH --page FILE",
        )
    of_wording = {one.prompt: one for one in tables_of_log(logs[0], any_language=options.any_language)}
    if wording is None and len(of_wording) == 1:
        return next(iter(of_wording.values()))
    if wording is not None and wording in of_wording:
        return of_wording[wording]
    message = f"{len(of_wording)} prompt wordings" if wording is None else f"unknown wording '{wording}'"
    hint = f"--wording: choose one of: {', '.join(of_wording)}"
    raise CrossinError(message, file=logs[0].file, field="prompt", hint=hint)


def _check_finished(path: Path) -> None:
    """A page of an evaluation needs its manifest and its items."""
    if any((path / name).is_file() for name in (ANSWERS, CLAIM, ITEMS)):
        for needed in (MANIFEST, ANSWERS, ITEMS):
            if not (path / needed).is_file():
                message = f"not a finished evaluation: '{needed}' is missing"
                raise CrossinError(message, file=path, hint=_EVALUATE)


def _check_same_questions(first: Run, other: Run) -> None:
    """Runs are compared item by item: same items and languages, same options, same right answers."""
    ours, theirs = set(first.cells), set(other.cells)
    if ours != theirs:
        item, language = sorted(ours ^ theirs)[0]
        asked, lacking = (first, other) if (item, language) in ours else (other, first)
        raise CrossinError(
            f"the runs were asked different questions: '{asked.name}' has the item '{item}' in '{language}', "
            f"'{lacking.name}' has not ({len(ours ^ theirs)} such cells)",
            file=_place(lacking.answers),
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
                file=_place(other.answers),
                hint=_OTHER_QUESTIONS,
            )
    for (item, language), ask in first.cells.items():
        also = other.cells[item, language]
        if set(ask["option_ids"]) != set(also["option_ids"]) or ask["gold"] != also["gold"]:
            raise CrossinError(
                f"the item '{item}' in '{language}' has other options or another gold than in '{first.name}'",
                file=_place(other.answers),
                hint=_OTHER_QUESTIONS,
            )


def _place(answers: Predictions) -> Path:
    """What stands for a run in messages: an evaluation's folder, or the log's file."""
    return answers.file.parent if answers.file.name == ANSWERS else answers.file
