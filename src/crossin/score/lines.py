"""Stored answers as lines in the form of `answers.parquet`, whatever file they come from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.bench import Item
from crossin.errors import CrossinError
from crossin.evaluate.replies import read_reply
from crossin.files import read_parquet, read_text

Line = dict[str, Any]

# What makes a line of `answers.parquet`; a file of replies has the first two, and `reply`.
_KEYS = ["item", "language"]
_ANSWER = ["group", "task", "option_ids", "answer", "gold"]
_OPTIONAL = ["logprobs", "reply", "prompt"]


def read_lines(file: Path) -> list[Line]:
    """The lines of a Parquet or JSON-lines file: answers, or replies that still need their benchmark."""
    if file.suffix == ".parquet":
        return _parquet(file)
    lines = []
    for row, text in enumerate(read_text(file).rstrip("\n").split("\n"), start=1):
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            raise CrossinError(
                f"is not JSON: {error.msg}", file=file, row=row, fix="write one JSON object a line"
            ) from error
        for name in [*_KEYS, "reply"]:
            if not isinstance(line, dict) or name not in line:
                raise CrossinError("is not there", file=file, row=row, field=name, fix="add it to every line")
        lines.append(line)
    return lines


def complete(lines: list[Line], items: Sequence[Item], file: Path) -> list[Line]:
    """`lines` with what their benchmark knows: group, task, options and gold; a reply to a multiple-choice
    item becomes the option that it names, or none.

    Raises CrossinError where a line is of another benchmark: an unknown id, other options, another gold.
    """
    by_cell = {(item.item, item.language): item for item in items}
    asked = {line["item"] for line in lines}
    if unknown := asked - {item.item for item in items}:
        raise CrossinError(
            f"answers another benchmark: {len(unknown)} of its {len(asked)} items are not in this one, "
            f"'{min(unknown)}' for one",
            file=file,
            field="item",
            fix="name the benchmark that was asked with --bench",
        )
    return [_complete(line, by_cell, file, row) for row, line in enumerate(lines, start=1)]


def _complete(line: Line, by_cell: dict[tuple[str, str], Item], file: Path, row: int) -> Line:
    item = by_cell.get((line["item"], line["language"]))
    if item is None:
        raise CrossinError(
            f"the benchmark has no item '{line['item']}' in '{line['language']}'",
            file=file,
            row=row,
            field="language",
            fix="write languages as the benchmark does",
        )
    known = {
        "group": item.group,
        "task": item.task,
        "option_ids": item.option_ids,
        "gold": item.answer,
    }
    for name, value in known.items():
        told = line.get(name, value)
        same = sorted(told) == sorted(value) if name == "option_ids" else told == value
        if not same:
            raise CrossinError(
                f"answers another benchmark: '{told}' here, '{value}' there",
                file=file,
                row=row,
                field=name,
                fix="name the benchmark that was asked with --bench",
            )
    answer = line.get("answer")
    if answer is None and item.options and line.get("reply"):
        chosen = read_reply(line["reply"], item.options)
        answer = None if chosen is None else item.option_ids[chosen]
    return {**known, **line, "answer": answer}


def _parquet(file: Path) -> list[Line]:
    import pyarrow.parquet

    read_parquet(file, _KEYS)
    has = set(pyarrow.parquet.read_schema(file).names)
    needed = _ANSWER if "option_ids" in has else ["reply"]
    columns = [*_KEYS, *needed, *(name for name in _OPTIONAL if name in has and name not in needed)]
    return list(read_parquet(file, columns).to_pylist())
