"""Read `answers.parquet` into tables of answers. Every cell is checked, and nothing is filled in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from crossin.core.errors import CrossinError, located
from crossin.core.files import read_parquet
from crossin.core.formats import ANSWERS
from crossin.core.paths import as_path
from crossin.metrics.table import MISSING, UNASKED, AnswerTable, Floats, incomplete_items

_AGAIN = "evaluate again"
_NAMES = ("item", "group", "task", "language", "gold")
_OPTIONAL = ("logprobs", "values", "prompt")

Line = Mapping[str, Any]
Cell = TypeVar("Cell")
# By item: the row and the line where it is first.
Firsts = dict[str, tuple[int, Line]]
# By language: the position of the chosen option, and the log-probabilities by position (None: unknown).
_Answers = dict[str, tuple[int, list[float] | None]]
# In a language that an item does not exist in.
_NO_ANSWER = (UNASKED, None)


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
    incomplete in all. `inventory`, where a line has one, becomes the item's pool. Lines that name no wording
    give one table, under the name ''. Otherwise as `table_of`.
    """
    firsts, answers = _gather(lines, file)
    found: dict[str, tuple[AnswerTable, Floats | None]] = {}
    for prompt, table in _tables(firsts, answers, file).items():
        known = any(values for cells in answers[prompt].values() for _, values in cells.values())
        found[prompt] = table, _logprobs(table, answers[prompt]) if known else None
    return found


def table_of(lines: Iterable[Line], file: Path | None = None, *, prompt: str | None = None) -> AnswerTable:
    """The table of lines in the form of `answers.parquet`; `file` is what an error names.

    Items and languages keep the order of their first lines; the order of options is that of an item's first
    line. An item that lacks one of the languages is left out and named in `incomplete`; where each item is in
    one language only, none is, and the table is not parallel. Lines without options are answered in free
    text, and left out too. `prompt` chooses one of several prompt wordings. Raises CrossinError where a line
    is malformed or contradicts another, a log-probability is not a number, no item is complete, or there are
    several wordings and none is chosen.
    """
    firsts, answers = _gather(lines, file)
    chosen = _choose(answers, prompt, file)
    return _tables(firsts, {chosen: answers[chosen]}, file)[chosen]


def read_logprobs(
    answers: str | Path | Iterable[Line], table: AnswerTable, *, prompt: str | None = None
) -> Floats:
    """The log-probabilities of the options of a table that was read from the same answers (and the same
    `prompt`): [I, L, K], K the most options of an item, in the order of the table's positions. Where the
    answers have `values`, which decided between the options in their place, it is those.

    nan where an item has no such option, and in all positions of a cell without log-probabilities.
    """
    lines, file = read_lines(answers) if isinstance(answers, str | Path) else (answers, None)
    _, found = _gather(lines, file)
    return _logprobs(table, found[_choose(found, prompt, file)])


def _logprobs(table: AnswerTable, wording: Mapping[str, _Answers]) -> Floats:
    logprobs = np.full((*table.answers.shape, int(table.options.max())), np.nan)
    for i, item in enumerate(table.items):
        for j, language in enumerate(table.languages):
            _, values = wording[item].get(language, _NO_ANSWER)
            if values is not None:
                logprobs[i, j, : len(values)] = values
    return logprobs


def read_lines(path: str | Path) -> tuple[list[Line], Path]:
    """The lines of `answers.parquet` (the file, or the folder that holds it), and the file."""
    import pyarrow.parquet

    file = as_path(path)
    if file.is_dir():
        file = file / ANSWERS
    table = read_parquet(file, [*_NAMES, "option_ids", "answer"])
    present = pyarrow.parquet.read_schema(file).names
    for name in _OPTIONAL:
        if name in present:
            table = table.append_column(name, read_parquet(file, [name])[name])
    return table.to_pylist(), file


def _gather(lines: Iterable[Line], file: Path | None) -> tuple[Firsts, dict[str, dict[str, _Answers]]]:
    """The first line of each item, and answers by prompt wording, item and language."""
    firsts: Firsts = {}
    answers: dict[str, dict[str, _Answers]] = {}
    free: dict[str, int] = {}
    for row, line in enumerate(lines, start=1):
        # Faster than `located` for each of a million lines.
        try:
            ids, item = line["option_ids"], line["item"]
            if not isinstance(ids, list) or not all(isinstance(option, str) for option in ids):
                raise line_error("option_ids", "expected a list of option ids")
            if not ids:
                free[item] = row
                continue
            first = _first_line(firsts, line, row)
            cells = answers.setdefault(line.get("prompt") or "", {}).setdefault(item, {})
            add_cell(cells, line, _answer(first, line))
        except CrossinError as error:
            with located(file, row):
                raise error
    with located(file):
        if not firsts:
            raise line_error(None, "no multiple-choice answers, only free text" if free else "no answers")
        for item in free.keys() & firsts.keys():
            message = f"item '{item}' has no options here, but some in row {firsts[item][0]}"
            raise CrossinError(message, row=free[item], field="option_ids", hint=_AGAIN)
        if "" in answers and len(answers) > 1:
            raise line_error("prompt", "some lines name their prompt wording and others do not")
    return firsts, answers


def _first_line(firsts: Firsts, line: Line, row: int) -> Line:
    """The first line of a line's item, which the line must agree with."""
    require_texts(line, _NAMES)
    ids = line["option_ids"]
    if len(set(ids)) < len(ids):
        raise line_error("option_ids", "an option occurs twice")
    if line["gold"] not in ids:
        raise line_error("gold", f"'{line['gold']}' is not among the option ids")
    before, first = require_agreement(firsts, line, row, ("group", "task", "gold"))
    if _pool(line) != _pool(first):
        raise line_error("inventory", f"item '{line['item']}' has another one in row {before}")
    if ids != first["option_ids"] and set(ids) != set(first["option_ids"]):
        raise line_error("option_ids", f"item '{line['item']}' has other options than in row {before}")
    return first


def _answer(first: Line, line: Line) -> tuple[int, list[float] | None]:
    ids, answer = line["option_ids"], line["answer"]
    name = "values" if "values" in line else "logprobs"
    logprobs = line.get(name)
    if answer is not None and answer not in ids:
        raise line_error("answer", f"'{answer}' is not among the option ids")
    chosen = MISSING if answer is None else first["option_ids"].index(answer)
    if logprobs is None or logprobs == []:
        return chosen, None
    if not isinstance(logprobs, list):
        raise line_error(name, "expected a list of numbers")
    if len(logprobs) != len(ids):
        raise line_error(name, f"{len(logprobs)} numbers for {len(ids)} options")
    if any(not isinstance(value, float | int) or math.isnan(value) for value in logprobs):
        raise line_error(name, "a value is not a number")
    by_id = dict(zip(ids, logprobs, strict=True))
    return chosen, [by_id[option] for option in first["option_ids"]]


def _pool(line: Line) -> str:
    """The inventory whose entities are the options of a line; '' for a list of choices."""
    return line.get("inventory") or ""


def line_error(field: str | None, message: str) -> CrossinError:
    """An error in a line, which the caller locates."""
    return CrossinError(message, field=field, hint=_AGAIN)


def require_texts(line: Line, names: Iterable[str]) -> None:
    """Raise CrossinError where a field is not a text, or empty."""
    for name in names:
        if not isinstance(line[name], str) or not line[name]:
            raise line_error(name, "expected a text that is not empty")


def require_agreement(firsts: Firsts, line: Line, row: int, names: Iterable[str]) -> tuple[int, Line]:
    """The row and the first line of a line's item, which is added to `firsts`; CrossinError where the two
    differ in a field.
    """
    before, first = firsts.setdefault(line["item"], (row, line))
    for name in names:
        if first[name] != line[name]:
            message = f"item '{line['item']}' has '{line[name]}' here and '{first[name]}' in row {before}"
            raise line_error(name, message)
    return before, first


def add_cell(cells: dict[str, Cell], line: Line, cell: Cell) -> None:
    """Add a line's cell to those of its item by language; CrossinError where there is one."""
    item, language = line["item"], line["language"]
    if language in cells:
        raise line_error("language", f"item '{item}' occurs a second time in the language {language}")
    cells[language] = cell


def _choose(answers: Mapping[str, object], prompt: str | None, file: Path | None) -> str:
    """The given wording, or the only one."""
    if prompt is None and len(answers) == 1:
        return next(iter(answers))
    if prompt is not None and prompt in answers:
        return prompt
    message = f"{len(answers)} prompt wordings" if prompt is None else f"unknown prompt wording '{prompt}'"
    raise CrossinError(message, file=file, field="prompt", hint=f"choose one of: {', '.join(answers)}")


def _tables(
    firsts: Firsts, answers: Mapping[str, Mapping[str, _Answers]], file: Path | None
) -> dict[str, AnswerTable]:
    """A table for each wording, of the items that have every language (or their own) in all of them."""
    items = list(dict.fromkeys(item for wording in answers.values() for item in wording))
    cells = [cells for wording in answers.values() for cells in wording.values()]
    languages = list(dict.fromkeys(language for one in cells for language in one))
    of_item = {item: [wording.get(item, {}) for wording in answers.values()] for item in items}
    incomplete = incomplete_items(of_item, languages, {item: firsts[item][0] for item in items}, file)
    complete = [item for item in items if item not in incomplete]
    asked = [firsts[item][1] for item in complete]
    pools = tuple(map(_pool, asked))
    return {
        name: AnswerTable(
            items=tuple(complete),
            languages=tuple(languages),
            groups=tuple(line["group"] for line in asked),
            tasks=tuple(line["task"] for line in asked),
            answers=np.array(
                [[wording[item].get(x, _NO_ANSWER)[0] for x in languages] for item in complete],
                dtype=np.int64,
            ),
            gold=np.array([line["option_ids"].index(line["gold"]) for line in asked], dtype=np.int64),
            options=np.array([len(line["option_ids"]) for line in asked], dtype=np.int64),
            pools=pools if any(pools) else (),
            incomplete=incomplete,
        )
        for name, wording in answers.items()
    }
