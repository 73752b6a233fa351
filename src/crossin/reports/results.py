"""What a report reads: evaluation folders (runs) with answers to the same questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_parquet
from crossin.core.formats import ANSWERS, ITEMS, MANIFEST
from crossin.core.paths import as_path
from crossin.core.results import brief
from crossin.languages import available, load_words
from crossin.metrics.reading import Line, read_lines, table_of
from crossin.metrics.table import AnswerTable

_ITEM_COLUMNS = ["item", "language", "context", "question", "options", "option_ids", "answer"]
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
    """One evaluation: its answers as a table, every line of answers by item and language, its manifest."""

    name: str
    folder: Path
    table: AnswerTable
    cells: dict[tuple[str, str], Line]
    manifest: dict[str, Any]

    def __repr__(self) -> str:
        return f"Run({self.name!r}, {self.table!r})"


@dataclass(frozen=True, repr=False)
class Results:
    """All runs in the order given, the baseline's name, and the questions by item and language."""

    runs: list[Run]
    baseline: str
    languages: list[LanguageInfo]
    questions: dict[tuple[str, str], dict[str, Any]]

    def __repr__(self) -> str:
        languages = brief([language.code for language in self.languages])
        return f"Results({brief(self.names, 'runs')}, {len(self.items):,} items in {languages})"

    @property
    def items(self) -> list[str]:
        """The items in the order of the first run's table."""
        return list(self.runs[0].table.items)

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


def load(runs: Mapping[str, Path | str], baseline: str | None = None, wording: str | None = None) -> Results:
    """Read evaluation folders by the run's name.

    baseline: the run that the others are compared with, by default the first. wording: of the prompt, which
    has to be named where there are several. Raises CrossinError where a folder is not a finished evaluation
    or lacks that wording, the runs answer different questions, or no run has the baseline's name.
    """
    if not runs:
        raise CrossinError("there is no run to report", hint="name at least one evaluation folder")
    if baseline is not None and baseline not in runs:
        raise CrossinError(f"no run is called '{baseline}'", hint=f"choose among: {', '.join(runs)}")
    read = [_read_run(name, as_path(folder), wording) for name, folder in runs.items()]
    for other in read[1:]:
        _check_same_questions(read[0], other)
    languages = [_describe(code) for code in read[0].table.languages]
    return Results(read, baseline or read[0].name, languages, _read_questions(read[0]))


def _describe(code: str) -> LanguageInfo:
    if code in available():
        words = load_words(code)
        return LanguageInfo(code, words.name, words.direction)
    return LanguageInfo(code, code, "auto")


def _read_run(name: str, folder: Path, wording: str | None) -> Run:
    for needed in (MANIFEST, ANSWERS, ITEMS):
        if not (folder / needed).is_file():
            raise CrossinError(
                f"not a finished evaluation: '{needed}' is missing", file=folder, hint=_EVALUATE
            )
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict):
        raise CrossinError("not the manifest of a run", file=folder / MANIFEST, hint="evaluate again")
    lines, file = read_lines(folder / ANSWERS)
    try:
        table = table_of(lines, file, prompt=wording)
    except CrossinError as error:
        if error.field == "prompt":
            raise CrossinError(error.message, file=file, hint=f"--wording: {error.hint}") from error
        raise
    cells = {
        (line["item"], line["language"]): line
        for line in lines
        if wording in (None, line.get("prompt") or "")
    }
    return Run(name, folder, table, cells, manifest)


def _read_questions(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    path = run.folder / ITEMS
    questions = {
        (line["item"], line["language"]): line for line in read_parquet(path, _ITEM_COLUMNS).to_pylist()
    }
    if lacking := run.cells.keys() - questions.keys():
        item, language = min(lacking)
        raise CrossinError(
            f"lacks the item '{item}' in '{language}', which was answered", file=path, hint="evaluate again"
        )
    return questions


def _check_same_questions(first: Run, other: Run) -> None:
    """Runs are compared item by item: same items and languages, same options, same right answers."""
    ours, theirs = set(first.cells), set(other.cells)
    if ours != theirs:
        item, language = sorted(ours ^ theirs)[0]
        asked, lacking = (first, other) if (item, language) in ours else (other, first)
        raise CrossinError(
            f"the runs were asked different questions: '{asked.name}' has the item '{item}' in '{language}', "
            f"'{lacking.name}' has not ({len(ours ^ theirs)} such cells)",
            file=lacking.folder,
            hint=_OTHER_QUESTIONS,
        )
    for (item, language), ask in first.cells.items():
        also = other.cells[item, language]
        if set(ask["option_ids"]) != set(also["option_ids"]) or ask["gold"] != also["gold"]:
            raise CrossinError(
                f"the item '{item}' in '{language}' has other options or another gold than in '{first.name}'",
                file=other.folder,
                hint=_OTHER_QUESTIONS,
            )
