"""Stored answers as lines in the form of `answers.parquet`, whatever file they come from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, read_text
from crossin.items import Item
from crossin.items.replies import read_reply
from crossin.languages import parse_language

Line = dict[str, Any]

# What makes a line of `answers.parquet`; a file of replies has the first two, and `reply`.
_KEYS = ["item", "language"]
_ANSWER = ["group", "task", "option_ids", "answer", "gold"]
_OPTIONAL = ["logprobs", "reply", "prompt", "shown"]
_REPLY = [*_KEYS, "reply"]


def read_lines(file: Path) -> list[Line]:
    """The lines of a file: answers (Parquet), or replies (Parquet or JSON lines), which still need their
    benchmark. Languages are BCP-47 codes, however the file spells them.

    Raises CrossinError, with the row, where a line lacks a field, holds no text where text belongs, names no
    language, or is of the same item, language and prompt as an earlier one.
    """
    return checked(_parquet(file) if file.suffix == ".parquet" else _replies(file), file)


def checked(lines: list[Line], file: Path) -> list[Line]:
    """`lines` of a file, with their languages as codes.

    Raises CrossinError as `read_lines`.
    """
    first: dict[tuple[str, str, str], int] = {}
    for row, line in enumerate(lines, start=1):
        _check(line, file, row)
        cell = (line["item"], line["language"], line.get("prompt") or "")
        if (earlier := first.setdefault(cell, row)) != row:
            raise CrossinError(
                f"item '{cell[0]}' is here a second time in {cell[1]} (row {earlier})",
                file=file,
                row=row,
                field="item",
                hint="keep one of the two; if the prompts differ, name them in a field 'prompt'",
            )
    return lines


def complete(lines: list[Line], items: Sequence[Item], file: Path) -> list[Line]:
    """`lines` with what their benchmark knows: group, task, options and gold; a reply to a multiple-choice
    item becomes the option that it names (`named_option`), or none. The list in the prompt is that of the
    line's `shown`, or had the order of its option ids.

    Raises CrossinError where a line is of another benchmark: an unknown id, other options, another gold.
    """
    by_cell = {(item.item, item.language): item for item in items}
    asked = {line["item"] for line in lines}
    if unknown := asked - {item.item for item in items}:
        row = next(row for row, line in enumerate(lines, start=1) if line["item"] in unknown)
        raise CrossinError(
            f"answers another benchmark: {len(unknown)} of its {len(asked)} items are not in this one, "
            f"'{lines[row - 1]['item']}' for one",
            file=file,
            row=row,
            field="item",
            hint="name the benchmark that was asked with --bench",
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
            hint="leave the line out, or name the benchmark that was asked with --bench",
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
                hint="name the benchmark that was asked with --bench",
            )
    found = {"answer": None, **known, **line}
    if found["answer"] is None and item.options and line.get("reply"):
        texts = dict(zip(item.option_ids, item.options, strict=True))
        found["answer"] = named_option(line["reply"], texts, line.get("shown") or found["option_ids"])
    return found


def named_option(reply: str, texts: Mapping[str, str], shown: Sequence[str]) -> str | None:
    """The id of the option that a reply names by its text (`texts`, by id) or by its letter in a list of the
    options in the order `shown`; None where it names none.
    """
    chosen = read_reply(reply, [texts[option] for option in shown])
    return None if chosen is None else shown[chosen]


def json_lines(file: Path) -> Iterator[Any]:
    """The values in a file of JSON lines.

    Raises CrossinError, with the row, where a line is blank or not JSON.
    """
    text = read_text(file).removeprefix("\ufeff").rstrip()
    for row, told in enumerate(text.split("\n") if text else [], start=1):
        try:
            yield json.loads(told)
        except json.JSONDecodeError as error:
            message = f"is not JSON: {error.msg}" if told.strip() else "is a blank line"
            raise CrossinError(message, file=file, row=row, hint="write one JSON object a line") from error


def _replies(file: Path) -> list[Line]:
    # Other fields are the writer's own: an `answer` there may be anything.
    names = [*_REPLY, "prompt"]
    lines = []
    for row, line in enumerate(json_lines(file), start=1):
        for name in _REPLY:
            if not isinstance(line, dict) or name not in line:
                raise CrossinError(
                    "is not there", file=file, row=row, field=name, hint="add it to every line"
                )
        lines.append({name: line[name] for name in names if name in line})
    return lines


def _parquet(file: Path) -> list[Line]:
    import pyarrow.parquet

    read_parquet(file, _KEYS)
    has = set(pyarrow.parquet.read_schema(file).names)
    if "option_ids" in has:
        columns = [*_KEYS, *_ANSWER, *(name for name in _OPTIONAL if name in has)]
    else:
        columns = [*_REPLY, *(name for name in ["prompt"] if name in has)]
    return list(read_parquet(file, columns).to_pylist())


def _check(line: Line, file: Path, row: int) -> None:
    """Check what identifies a line and what was said; turn its language into a code."""

    def wrong(name: str, due: str) -> CrossinError:
        return CrossinError(
            f"is not {due}: {line[name]!r}", file=file, row=row, field=name, hint=f"write {due}"
        )

    for name in _KEYS:
        if not isinstance(line[name], str) or not line[name].strip():
            raise wrong(name, "a text")
    for name in ("reply", "prompt"):
        if not isinstance(line.get(name), str | None):
            raise wrong(name, "a text, or null")
    ids = line.get("option_ids", [])
    if not isinstance(ids, list) or not all(isinstance(option, str) for option in ids):
        raise wrong("option_ids", "a list of option ids")
    shown = line.get("shown")
    if shown is not None and (not isinstance(shown, list) or sorted(map(str, shown)) != sorted(ids)):
        raise wrong("shown", "the option ids in the order of the prompt's list, or null")
    try:
        line["language"] = parse_language(line["language"])
    except CrossinError as error:
        raise CrossinError(error.message, file=file, row=row, field="language", hint=error.hint) from error
