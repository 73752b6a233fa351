"""What a report reads: evaluation folders that asked the same questions, one an arm."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json, read_parquet
from crossin.core.formats import MANIFEST
from crossin.languages import available, load_words
from crossin.metrics import AnswerTable, read_answers

_ANSWER_COLUMNS = ["item", "language", "option_ids", "logprobs", "answer", "gold"]
_ITEM_COLUMNS = ["item", "language", "context", "question", "options", "option_ids", "answer"]
_OTHER_QUESTIONS = "evaluate the arms on one benchmark in the same languages, or make a report of each"


@dataclass(frozen=True)
class Language:
    """A language as the page shows it; direction `auto` is where we do not know it: the browser looks."""

    code: str
    name: str
    direction: str


@dataclass(frozen=True)
class Run:
    """One arm: its answers as the metrics read them, each answer as given, and how it was made."""

    name: str
    folder: Path
    table: AnswerTable
    cells: dict[tuple[str, str], dict[str, Any]]
    manifest: dict[str, Any]


@dataclass(frozen=True)
class Results:
    """All arms in the order given, the control's name, and the questions by item and language."""

    runs: list[Run]
    baseline: str
    languages: list[Language]
    questions: dict[tuple[str, str], dict[str, Any]]

    @property
    def items(self) -> list[str]:
        """The items in the order of the first arm's table."""
        return [str(item) for item in self.runs[0].table.items]

    @property
    def names(self) -> list[str]:
        """The arms' names."""
        return [run.name for run in self.runs]

    def run(self, name: str) -> Run:
        """The arm called `name`."""
        return next(run for run in self.runs if run.name == name)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Which arms are compared: each with the control, and the last (under study) with the first."""
        pairs = [(name, self.baseline) for name in self.names if name != self.baseline]
        first, last = self.names[0], self.names[-1]
        if len(pairs) > 1 and self.baseline not in (first, last):
            pairs.append((last, first))
        return pairs

    @property
    def main_pairs(self) -> list[tuple[str, str]]:
        """The comparisons worth a column in a terminal: without the arms that come before the control."""
        place = self.names.index(self.baseline)
        pairs = [(arm, other) for arm, other in self.pairs if self.names.index(arm) > place]
        return pairs or self.pairs


def load(runs: dict[str, Path], baseline: str | None = None, wording: str | None = None) -> Results:
    """Read evaluation folders, keyed by the arm's name.

    The control is `baseline`, or the first arm where none is named. `wording` is the prompt's wording to
    read, which has to be named where there are several. Raises CrossinError where a folder is no finished
    evaluation or has not that wording, the arms were asked different questions, or no arm is called
    `baseline`.
    """
    if not runs:
        raise CrossinError("there is no run to report", hint="name one evaluation folder or more")
    if baseline is not None and baseline not in runs:
        raise CrossinError(
            f"no arm is called '{baseline}'; these are: {', '.join(runs)}", hint="choose among them"
        )
    read = [_read_run(name, folder, wording) for name, folder in runs.items()]
    for other in read[1:]:
        _check_same_questions(read[0], other)
    languages = [describe(str(code)) for code in read[0].table.languages]
    return Results(read, baseline or read[0].name, languages, _read_questions(read[0]))


def describe(code: str) -> Language:
    """A language by its code."""
    if code in available():
        words = load_words(code)
        return Language(code, words.name, words.direction)
    return Language(code, code, "auto")


def _read_run(name: str, folder: Path, wording: str | None) -> Run:
    for needed in (MANIFEST, "answers.parquet", "items.parquet"):
        if not (folder / needed).is_file():
            raise CrossinError(
                f"is no finished evaluation: '{needed}' is not there",
                file=folder,
                hint="check the path, or finish the run that evaluates",
            )
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict):
        raise CrossinError("holds no manifest", file=folder / MANIFEST, hint="evaluate again")
    file = folder / "answers.parquet"
    lines = _lines(file, wording)
    cells = {(line["item"], line["language"]): line for line in lines}
    return Run(
        name, folder, read_answers(file, prompt=lines[0]["prompt"] if lines else None), cells, manifest
    )


def _lines(file: Path, wording: str | None) -> list[dict[str, Any]]:
    """The answers in the wording asked for, or in the only one, which is empty where the file names none."""
    import pyarrow.parquet

    lines = read_parquet(file, _ANSWER_COLUMNS).to_pylist()
    named = "prompt" in pyarrow.parquet.read_schema(file).names
    prompts = read_parquet(file, ["prompt"])["prompt"].to_pylist() if named else [None] * len(lines)
    for line, prompt in zip(lines, prompts, strict=True):
        line["prompt"] = prompt or ""
    wordings = list(dict.fromkeys(line["prompt"] for line in lines))
    if wording is None and len(wordings) > 1:
        message = f"holds answers in {len(wordings)} wordings of the prompt: {', '.join(wordings)}"
        raise CrossinError(message, file=file, hint=f"say which to report, as in --wording {wordings[0]}")
    if wording is not None and wording not in wordings:
        names = ", ".join(filter(None, wordings))
        raise CrossinError(
            f"holds no answers in the wording '{wording}'",
            file=file,
            hint=f"choose --wording among: {names}" if names else "leave out --wording: none is named there",
        )
    return [line for line in lines if wording in (None, line["prompt"])]


def _read_questions(run: Run) -> dict[tuple[str, str], dict[str, Any]]:
    path = run.folder / "items.parquet"
    lines = read_parquet(path, _ITEM_COLUMNS).to_pylist()
    questions = {(line["item"], line["language"]): line for line in lines}
    for item, language in run.cells:
        if (item, language) not in questions:
            raise CrossinError(
                f"lacks the item '{item}' in '{language}', which was answered",
                file=path,
                hint="evaluate again",
            )
    return questions


def _check_same_questions(first: Run, other: Run) -> None:
    """Arms are compared item by item: same items and languages, same options, same right answers."""
    ours, theirs = set(first.cells), set(other.cells)
    if ours != theirs:
        item, language = sorted(ours ^ theirs)[0]
        asked, lacking = (first, other) if (item, language) in ours else (other, first)
        raise CrossinError(
            f"the arms were asked different questions: '{asked.name}' has the item '{item}' in '{language}', "
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
