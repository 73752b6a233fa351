"""Read `answers.parquet` into tables of answers. Every cell is checked, and nothing is filled in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossin.core.errors import CrossinError, located
from crossin.core.files import read_parquet
from crossin.core.formats import ANSWERS
from crossin.metrics.table import MISSING, AnswerTable, Floats

_AGAIN = "evaluate again"
_NAMES = ("item", "group", "task", "language", "gold")
_OPTIONAL = ("logprobs", "prompt")

Line = Mapping[str, Any]
# By language: the position of the chosen option, and the log-probabilities by position (None: unknown).
_Answers = dict[str, tuple[int, list[float] | None]]


@dataclass(frozen=True)
class _Question:
    """An item as its first line has it."""

    row: int
    group: str
    task: str
    gold: str
    position: dict[str, int]  # by option id


def read_answers(path: str | Path, *, prompt: str | None = None) -> AnswerTable:
    """The table in `answers.parquet` (the file, or the folder that holds it); see `table_of`."""
    lines, file = read_lines(path)
    return table_of(lines, file, prompt=prompt)


def read_wordings(path: str | Path) -> dict[str, AnswerTable]:
    """A table for each prompt wording in `answers.parquet`; see `tables_of`."""
    return {prompt: table for prompt, (table, _) in tables_of(*read_lines(path)).items()}


def tables_of(
    lines: Iterable[Line], file: Path | None = None
) -> dict[str, tuple[AnswerTable, Floats | None]]:
    """A table for each prompt wording that lines in the form of `answers.parquet` name in `prompt`, with its
    log-probabilities as in `read_logprobs` (None where no line has any).

    All tables hold the same items in the same languages: an item that lacks a language in any wording is
    incomplete in all. Lines that name no wording give one table, under the name ''. Otherwise as `table_of`.
    """
    questions, answers = _gather(lines, file)
    tables = _tables(questions, answers, file)
    return {prompt: (table, _logprobs(table, answers[prompt])) for prompt, table in tables.items()}


def table_of(lines: Iterable[Line], file: Path | None = None, *, prompt: str | None = None) -> AnswerTable:
    """The table of lines in the form of `answers.parquet`; `file` is what an error names.

    Items and languages keep the order of their first lines; the order of options is that of an item's first
    line. An item that lacks one of the languages is left out and named in `incomplete`. Lines without options
    are answered in free text, and left out too. `prompt` chooses one of several prompt wordings. Raises
    CrossinError where a line is malformed or contradicts another, a log-probability is not a number, no item
    is complete, or there are several wordings and none is chosen.
    """
    questions, answers = _gather(lines, file)
    chosen = _choose(answers, prompt, file)
    return _tables(questions, {chosen: answers[chosen]}, file)[chosen]


def read_logprobs(
    answers: str | Path | Iterable[Line], table: AnswerTable, *, prompt: str | None = None
) -> Floats:
    """The log-probabilities of the options of a table that was read from the same answers (and the same
    `prompt`): [I, L, K], K the most options of an item, in the order of the table's positions.

    nan where an item has no such option, and in all positions of a cell without log-probabilities.
    """
    lines, file = read_lines(answers) if isinstance(answers, str | Path) else (answers, None)
    _, found = _gather(lines, file)
    logprobs = _logprobs(table, found[_choose(found, prompt, file)])
    return np.full(_shape(table), np.nan) if logprobs is None else logprobs


def _logprobs(table: AnswerTable, wording: Mapping[str, _Answers]) -> Floats | None:
    """The log-probabilities of a table's cells, [I, L, K]; None where no answer has any."""
    if not any(values for cells in wording.values() for _, values in cells.values()):
        return None
    logprobs = np.full(_shape(table), np.nan)
    for i, item in enumerate(table.items):
        for j, language in enumerate(table.languages):
            _, values = wording[item][language]
            if values is not None:
                logprobs[i, j, : len(values)] = values
    return logprobs


def _shape(table: AnswerTable) -> tuple[int, int, int]:
    """Items, languages, and the most options of an item."""
    return (*table.answers.shape, int(table.options.max()))


def read_lines(path: str | Path) -> tuple[list[Line], Path]:
    """The lines of `answers.parquet` (the file, or the folder that holds it), and the file."""
    import pyarrow.parquet

    file = Path(path)
    if file.is_dir():
        file = file / ANSWERS
    table = read_parquet(file, [*_NAMES, "option_ids", "answer"])
    present = pyarrow.parquet.read_schema(file).names
    for name in _OPTIONAL:
        if name in present:
            table = table.append_column(name, read_parquet(file, [name])[name])
    return table.to_pylist(), file


def _gather(
    lines: Iterable[Line], file: Path | None
) -> tuple[dict[str, _Question], dict[str, dict[str, _Answers]]]:
    """Questions by item, and answers by prompt wording, item and language."""
    questions: dict[str, _Question] = {}
    answers: dict[str, dict[str, _Answers]] = {}
    free: dict[str, int] = {}
    for row, line in enumerate(lines, start=1):
        with located(file, row):
            ids, item, language = line["option_ids"], line["item"], line["language"]
            if not isinstance(ids, list) or not all(isinstance(option, str) for option in ids):
                raise _error("option_ids", "expected a list of option ids")
            if not ids:
                free[item] = row
                continue
            question = _question(questions, line, row)
            cells = answers.setdefault(line.get("prompt") or "", {}).setdefault(item, {})
            if language in cells:
                raise _error("language", f"item '{item}' occurs a second time in the language {language}")
            cells[language] = _answer(question, line)
    with located(file):
        if not questions:
            raise _error(None, "no multiple-choice answers, only free text" if free else "no answers")
        for item in free.keys() & questions.keys():
            message = f"item '{item}' has no options here, but some in row {questions[item].row}"
            raise CrossinError(message, row=free[item], field="option_ids", hint=_AGAIN)
        if "" in answers and len(answers) > 1:
            raise _error("prompt", "some lines name their prompt wording and others do not")
    return questions, answers


def _question(questions: dict[str, _Question], line: Line, row: int) -> _Question:
    """The question of a line, which must agree with the item's first line."""
    for name in _NAMES:
        if not isinstance(line[name], str) or not line[name]:
            raise _error(name, "expected a text that is not empty")
    item, ids = line["item"], line["option_ids"]
    position = {option: index for index, option in enumerate(ids)}
    if len(position) < len(ids):
        raise _error("option_ids", "an option occurs twice")
    if line["gold"] not in position:
        raise _error("gold", f"'{line['gold']}' is not among the option ids")
    here = _Question(row, line["group"], line["task"], line["gold"], position)
    first = questions.setdefault(item, here)
    for name in ("group", "task", "gold"):
        one, two = getattr(first, name), line[name]
        if one != two:
            raise _error(name, f"item '{item}' has '{two}' here and '{one}' in row {first.row}")
    if position.keys() != first.position.keys():
        raise _error("option_ids", f"item '{item}' has other options than in row {first.row}")
    return first


def _answer(question: _Question, line: Line) -> tuple[int, list[float] | None]:
    ids, answer, logprobs = line["option_ids"], line["answer"], line.get("logprobs")
    if answer is not None and answer not in question.position:
        raise _error("answer", f"'{answer}' is not among the option ids")
    chosen = MISSING if answer is None else question.position[answer]
    if logprobs is None or logprobs == []:
        return chosen, None
    if not isinstance(logprobs, list):
        raise _error("logprobs", "expected a list of numbers")
    if len(logprobs) != len(ids):
        raise _error("logprobs", f"{len(logprobs)} numbers for {len(ids)} options")
    if any(not isinstance(value, float | int) or math.isnan(value) for value in logprobs):
        raise _error("logprobs", "a value is not a number")
    by_id = dict(zip(ids, logprobs, strict=True))
    return chosen, [by_id[option] for option in question.position]


def _error(field: str | None, message: str) -> CrossinError:
    return CrossinError(message, field=field, hint=_AGAIN)


def _choose(answers: Mapping[str, object], prompt: str | None, file: Path | None) -> str:
    """The given wording, or the only one."""
    if prompt is None and len(answers) == 1:
        return next(iter(answers))
    if prompt is not None and prompt in answers:
        return prompt
    message = f"{len(answers)} prompt wordings" if prompt is None else f"unknown prompt wording '{prompt}'"
    raise CrossinError(message, file=file, field="prompt", hint=f"choose one of: {', '.join(answers)}")


def _tables(
    questions: Mapping[str, _Question], answers: Mapping[str, Mapping[str, _Answers]], file: Path | None
) -> dict[str, AnswerTable]:
    """A table for each wording, of the items that have every language in all of them."""
    items = list(dict.fromkeys(item for wording in answers.values() for item in wording))
    cells = [cells for wording in answers.values() for cells in wording.values()]
    languages = list(dict.fromkeys(language for one in cells for language in one))
    incomplete: dict[str, str] = {}
    for item in items:
        inside = [wording.get(item, {}) for wording in answers.values()]
        if lacking := next((x for x in languages if not all(x in one for one in inside)), None):
            incomplete[item] = lacking
    complete = [item for item in items if item not in incomplete]
    if not complete:
        item, language = next(iter(incomplete.items()))
        raise CrossinError(
            f"no item was asked in all languages: '{item}' lacks the language {language}",
            file=file,
            row=questions[item].row,
            field="language",
            hint="ask every item in every language",
        )
    asked = [questions[item] for item in complete]
    return {
        name: AnswerTable(
            items=tuple(complete),
            languages=tuple(languages),
            groups=tuple(question.group for question in asked),
            tasks=tuple(question.task for question in asked),
            answers=np.array([[wording[item][x][0] for x in languages] for item in complete], dtype=np.int64),
            gold=np.array([question.position[question.gold] for question in asked], dtype=np.int64),
            options=np.array([len(question.position) for question in asked], dtype=np.int64),
            incomplete=incomplete,
        )
        for name, wording in answers.items()
    }
