"""Reading `answers.parquet` into a table of answers; every cell is checked, nothing is filled in."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from crossin.errors import CrossinError
from crossin.files import read_parquet
from crossin.metrics.table import MISSING, AnswerTable

_AGAIN = "evaluate again"
_NAMES = ("item", "group", "task", "language", "gold")


@dataclass
class _Item:
    """What the first line of an item said, and the answers gathered since."""

    row: int
    group: str
    task: str
    gold: str
    position: dict[str, int]  # by option id
    answers: dict[str, int] = field(default_factory=dict)  # by language


def read_answers(path: str | Path) -> AnswerTable:
    """The table in `answers.parquet` (the file, or the folder that holds it).

    Items and languages keep the order of their first lines; the order of options is that of an item's first
    line.
    """
    file = Path(path)
    if file.is_dir():
        file = file / "answers.parquet"
    lines = read_parquet(file, [*_NAMES, "option_ids", "answer"]).to_pylist()
    if not lines:
        raise CrossinError("holds no answers", file=file, fix=_AGAIN)
    items: dict[str, _Item] = {}
    languages: dict[str, None] = {}
    for row, line in enumerate(lines, start=1):
        _add(items, line, file, row)
        languages[line["language"]] = None
    for name, item in items.items():
        if lacking := [language for language in languages if language not in item.answers]:
            raise CrossinError(
                f"item '{name}' lacks the language {lacking[0]}",
                file=file,
                row=item.row,
                field="language",
                fix="ask every item in every language, or remove the item",
            )
    return AnswerTable(
        items=tuple(items),
        languages=tuple(languages),
        groups=tuple(item.group for item in items.values()),
        tasks=tuple(item.task for item in items.values()),
        answers=np.array([[item.answers[x] for x in languages] for item in items.values()], dtype=np.int64),
        gold=np.array([item.position[item.gold] for item in items.values()], dtype=np.int64),
        options=np.array([len(item.position) for item in items.values()], dtype=np.int64),
    )


def _add(items: dict[str, _Item], line: dict[str, Any], file: Path, row: int) -> None:
    def wrong(name: str, message: str) -> CrossinError:
        return CrossinError(message, file=file, row=row, field=name, fix=_AGAIN)

    for name in _NAMES:
        if not isinstance(line[name], str) or not line[name]:
            raise wrong(name, "is empty or is not text")
    ids = line["option_ids"]
    if not isinstance(ids, list) or not ids or not all(isinstance(option, str) for option in ids):
        raise wrong("option_ids", "is not a list of option ids")
    if len(set(ids)) < len(ids):
        raise wrong("option_ids", "names an option twice")
    if line["gold"] not in ids:
        raise wrong("gold", f"'{line['gold']}' is not among the option ids")
    name, language, answer = line["item"], line["language"], line["answer"]
    if name not in items:
        position = {option: index for index, option in enumerate(ids)}
        items[name] = _Item(row, line["group"], line["task"], line["gold"], position)
    item = items[name]
    for column in ("group", "task", "gold"):
        if line[column] != getattr(item, column):
            first = getattr(item, column)
            raise wrong(column, f"item '{name}' has '{line[column]}' here and '{first}' in row {item.row}")
    if set(ids) != set(item.position):
        raise wrong("option_ids", f"item '{name}' has other options than in row {item.row}")
    if language in item.answers:
        raise wrong("language", f"item '{name}' is here a second time in the language {language}")
    if answer is not None and answer not in item.position:
        raise wrong("answer", f"'{answer}' is not among the option ids")
    item.answers[language] = MISSING if answer is None else item.position[answer]
