"""Reading `answers.parquet` into tables of answers; every cell is checked, nothing is filled in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet
from crossin.metrics.table import MISSING, AnswerTable, Floats

_AGAIN = "evaluate again"
_NAMES = ("item", "group", "task", "language", "gold")
_OPTIONAL = ("logprobs", "prompt")

Line = Mapping[str, Any]
# language -> position of the chosen option and log-probabilities by position (None: not known)
_Answers = dict[str, tuple[int, list[float] | None]]
_Faults = Callable[[str, str], CrossinError]  # from field and message


@dataclass(frozen=True)
class _Question:
    """What the first line of an item said."""

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
    line. An item that lacks one of the languages is kept out of the table and named in `incomplete`. Lines
    without options are answered in free text and are not for this table. Of several prompt wordings, `prompt`
    chooses one. Raises CrossinError where a line is malformed or contradicts another, a log-probability is
    not a number, no item is complete, or several wordings are there and none is chosen.
    """
    questions, answers = _gather(lines, file)
    chosen = _choose(answers, prompt, file)
    return _tables(questions, {chosen: answers[chosen]}, file)[chosen]


def read_logprobs(
    answers: str | Path | Iterable[Line], table: AnswerTable, *, prompt: str | None = None
) -> Floats:
    """The log-probabilities of the options of a table that was read from the same answers (and the same
    `prompt`): [I, L, K], K the most options of an item, in the order of the table's positions.

    nan stands where an item has no such option, and in every position of a cell that came without
    log-probabilities.
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
        file = file / "answers.parquet"
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
        fault = partial(_fault, file, row)
        ids = line["option_ids"]
        if not isinstance(ids, list) or not all(isinstance(option, str) for option in ids):
            raise fault("option_ids", "is not a list of option ids")
        if not ids:
            free[line["item"]] = row
            continue
        question = _question(questions, line, row, fault)
        cells = answers.setdefault(line.get("prompt") or "", {}).setdefault(line["item"], {})
        if line["language"] in cells:
            raise fault(
                "language", f"item '{line['item']}' is here a second time in the language {line['language']}"
            )
        cells[line["language"]] = _answer(question, line, fault)
    if not questions:
        message = "holds no multiple-choice answers, only free text" if free else "holds no answers"
        raise CrossinError(message, file=file, hint=_AGAIN)
    for item, row in free.items():
        if item in questions:
            message = f"item '{item}' has no options here, and has some in row {questions[item].row}"
            raise _fault(file, row, "option_ids", message)
    if "" in answers and len(answers) > 1:
        raise CrossinError(
            "some lines name their prompt wording and others do not", file=file, field="prompt", hint=_AGAIN
        )
    return questions, answers


def _question(questions: dict[str, _Question], line: Line, row: int, fault: _Faults) -> _Question:
    """The question of a line, which says of it what the item's first line said."""
    for name in _NAMES:
        if not isinstance(line[name], str) or not line[name]:
            raise fault(name, "is empty or is not text")
    item, ids = line["item"], line["option_ids"]
    position = {option: index for index, option in enumerate(ids)}
    if len(position) < len(ids):
        raise fault("option_ids", "names an option twice")
    if line["gold"] not in position:
        raise fault("gold", f"'{line['gold']}' is not among the option ids")
    here = _Question(row, line["group"], line["task"], line["gold"], position)
    first = questions.setdefault(item, here)
    for name in ("group", "task", "gold"):
        if line[name] != getattr(first, name):
            raise fault(
                name, f"item '{item}' has '{line[name]}' here and '{getattr(first, name)}' in row {first.row}"
            )
    if position.keys() != first.position.keys():
        raise fault("option_ids", f"item '{item}' has other options than in row {first.row}")
    return first


def _answer(question: _Question, line: Line, fault: _Faults) -> tuple[int, list[float] | None]:
    ids, answer, logprobs = line["option_ids"], line["answer"], line.get("logprobs")
    if answer is not None and answer not in question.position:
        raise fault("answer", f"'{answer}' is not among the option ids")
    chosen = MISSING if answer is None else question.position[answer]
    if logprobs is None or logprobs == []:
        return chosen, None
    if not isinstance(logprobs, list):
        raise fault("logprobs", "is not a list of numbers")
    if len(logprobs) != len(ids):
        raise fault("logprobs", f"holds {len(logprobs)} numbers for {len(ids)} options")
    if any(not isinstance(value, float | int) or math.isnan(value) for value in logprobs):
        raise fault("logprobs", "holds a value that is not a number")
    by_id = dict(zip(ids, logprobs, strict=True))
    return chosen, [by_id[option] for option in question.position]


def _fault(file: Path | None, row: int, field: str, message: str) -> CrossinError:
    return CrossinError(message, file=file, row=row, field=field, hint=_AGAIN)


def _choose(answers: Mapping[str, object], prompt: str | None, file: Path | None) -> str:
    """The wording that was asked for, or the only one."""
    if prompt in answers or (prompt is None and len(answers) == 1):
        return next(iter(answers)) if prompt is None else prompt
    message = (
        f"holds answers to {len(answers)} prompt wordings"
        if prompt is None
        else f"no prompt wording is called '{prompt}'"
    )
    raise CrossinError(message, file=file, field="prompt", hint=f"choose one of: {', '.join(answers)}")


def _tables(
    questions: Mapping[str, _Question], answers: Mapping[str, Mapping[str, _Answers]], file: Path | None
) -> dict[str, AnswerTable]:
    """A table for each wording, of the items that have every language in all of them."""
    wordings = list(answers.values())
    items = list(dict.fromkeys(item for wording in wordings for item in wording))
    languages = list(dict.fromkeys(x for wording in wordings for cells in wording.values() for x in cells))
    lacking = {item: _lacking(item, languages, wordings) for item in items}
    incomplete = {item: language for item, language in lacking.items() if language is not None}
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


def _lacking(item: str, languages: Sequence[str], wordings: Sequence[Mapping[str, _Answers]]) -> str | None:
    """The first language that an item lacks in one of the wordings."""
    return next((x for x in languages for wording in wordings if x not in wording.get(item, {})), None)
