"""Stored answers of any harness as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.formats import ANSWERS
from crossin.core.paths import as_path
from crossin.core.results import brief
from crossin.core.thoughts import without_thoughts
from crossin.items.item import share_items
from crossin.items.replies.cleaning import own_answer
from crossin.logs.answers import LoggedAnswers
from crossin.logs.find import find_logs, read_logs
from crossin.logs.formats import LogFiles, LogOptions
from crossin.logs.lines import Line
from crossin.metrics.reading import tables_of
from crossin.metrics.table import AnswerTable, Floats, ItemTable
from crossin.metrics.texts import TextTable, text_table_of


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """One model's answers under one wording of the prompt.

    `log` is what they were read from. `choices` holds the multiple-choice items, `logprobs` [I, L, K] the
    options' log-probabilities (or what decided in their place, `read_logprobs`) where the log has them, and
    `texts` the items answered in free text; what a log does not hold is None. `prompt` names the wording; it
    is empty where the log names none. `thoughts_cut` counts by language the replies that end within a
    thought, which are missing.
    """

    log: LoggedAnswers
    prompt: str
    choices: AnswerTable | None
    logprobs: Floats | None
    texts: TextTable | None
    thoughts_cut: Mapping[str, int] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Predictions({self.name!r}, {self.items:,} items in {brief(self.languages)})"

    @property
    def model(self) -> str:
        """The model's name."""
        return self.log.model

    @property
    def file(self) -> Path:
        """The log's file, or the first of several."""
        return self.log.file

    @property
    def unanswered(self) -> int:
        """How many items of the benchmark are not in the log; 0 where the benchmark is not known."""
        return self.log.unanswered

    @property
    def name(self) -> str:
        """Model and wording, as a table's heading."""
        return f"{self.model} {self.prompt}".rstrip()

    @property
    def tables(self) -> list[ItemTable]:
        """What the file holds: multiple choice, free text, or both."""
        return [table for table in (self.choices, self.texts) if table is not None]

    @property
    def items(self) -> int:
        """How many items the figures are computed from."""
        return sum(len(table.items) for table in self.tables)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages asked in, including those with free text only."""
        return tuple(dict.fromkeys(language for table in self.tables for language in table.languages))

    @property
    def parallel(self) -> bool:
        """Whether the items were asked in every language, and not each in one only."""
        return all(table.parallel for table in self.tables)

    @property
    def by_language(self) -> dict[str, int]:
        """How many items a language's figures are computed from."""
        counts: Counter[str] = Counter()
        for table in self.tables:
            counts.update(dict(zip(table.languages, table.asked.sum(axis=0).tolist(), strict=True)))
        return dict(counts)

    @property
    def incomplete(self) -> dict[str, str]:
        """Items left out of every figure, each with the first language that it lacks."""
        return {item: language for table in self.tables for item, language in table.incomplete.items()}


def read_predictions(path: Path | str, bench: Path | str | None = None) -> list[Predictions]:
    """The predictions of one run: an evaluation's folder, or a file of one of the formats that `find_logs`
    knows, which may stand for the other files of its run. One entry for each wording of the prompt.

    `bench` is the folder of the benchmark asked, which files of replies need. Raises CrossinError where there
    are several runs, or the file is of no known format or answers another benchmark.
    """
    path = as_path(path)
    found = find_logs(path)
    if len(found) > 1:
        names = ", ".join(str(run.files[0].relative_to(path)) for run in found[-2:])
        raise CrossinError(
            f"holds {len(found)} runs", file=path, hint=f"name a file of one run, such as {names}"
        )
    return predictions_of(found[0], bench)


def find_predictions(paths: Path | str | Iterable[Path | str]) -> list[Path]:
    """The place of each run in `paths` (`find_logs`): an evaluation's folder, or the first of its files."""
    return [run.files[0].parent if run.files[0].name == ANSWERS else run.files[0] for run in find_logs(paths)]


def predictions_of(run: LogFiles, bench: Path | str | None = None) -> list[Predictions]:
    """The predictions of a run; `bench` as in `read_predictions`."""
    options = LogOptions(None if bench is None else as_path(bench))
    return [one for log in read_logs(run, options) for one in _of_log(log)]


def _of_log(log: LoggedAnswers) -> list[Predictions]:
    found = _predictions(log)
    if not all(one.parallel for one in found) and log.items and share_items(log.items):
        raise CrossinError(
            "each item was asked in one language only, though the benchmark has it in several",
            file=log.file,
            field="language",
            hint="ask every item in every language",
        )
    return found


def _predictions(log: LoggedAnswers) -> list[Predictions]:
    """One entry for each wording of the prompt."""
    lines, file = log.lines, log.file
    if not lines:
        raise CrossinError("holds no answers", file=file, hint="write a line for every item and language")
    of_prompt: dict[str, list[Line]] = {}
    for line in lines:
        of_prompt.setdefault(line.get("prompt") or "", []).append(line)
    choices = tables_of(lines, file) if any(line["option_ids"] for line in lines) else {}
    found = []
    for prompt, part in of_prompt.items():
        table, logprobs = choices.get(prompt, (None, None))
        texts = text_table_of(map(_answered, part), file)
        # An answer that is there was not read from the reply here.
        replied = [line for line in part if line.get("reply") and line["answer"] is None]
        cut = Counter(line["language"] for line in replied if without_thoughts(line["reply"]) is None)
        found.append(Predictions(log, prompt, table, logprobs, texts, dict(cut)))
    return found


def _answered(line: Line) -> Line:
    """A line of free text with the part of its reply that is the answer."""
    reply = line.get("reply")
    return line if line["option_ids"] or not isinstance(reply, str) else {**line, "reply": own_answer(reply)}
