"""Lines of answers in the form of `answers.parquet`, whatever file they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError, located
from crossin.core.files import read_parquet
from crossin.core.plain_values import shown
from crossin.core.thoughts import OPENING, cut_without_a_tag
from crossin.corpus.reading.records import read_records
from crossin.items import Item
from crossin.items.replies import read_reply
from crossin.languages import parse_language

Line = dict[str, Any]

_KEYS = ["item", "language"]
# A file of replies has these, and may have `prompt`; other fields are the writer's own.
_REPLY = [*_KEYS, "reply"]
# What `answers.parquet` has beside the keys, always and sometimes.
_ANSWER = ["group", "task", "option_ids", "answer", "gold"]
_OPTIONAL = [
    "logprobs",
    "tokens",
    "values",
    "reply",
    "prompt",
    "shown",
    "aliases",
    "answer_type",
    "inventory",
    "entity",
]
_OTHER_BENCHMARK = "name the benchmark that was asked with --bench"


def read_lines(file: Path) -> list[Line]:
    """The lines of a file: answers (Parquet), or replies (Parquet, JSON lines or CSV), which still need
    their benchmark. See `checked`.
    """
    return checked(_parquet(file) if file.suffix == ".parquet" else _replies(file), file)


def checked(lines: list[Line], file: Path) -> list[Line]:
    """`lines` of a file, with their languages as BCP-47 codes.

    Raises CrossinError, with the row, where a field is of the wrong type, a language is unknown, or a line is
    of the same item, language and prompt as an earlier one.
    """
    codes: dict[str, str] = {}
    first: dict[tuple[str, str, str], int] = {}
    for row, line in enumerate(lines, start=1):
        with located(file, row):
            if wrong := _wrong_field(line):
                name, expected = wrong
                message = f"expected {expected}, got {shown(line[name])}"
                raise CrossinError(message, field=name, hint=f"write {expected}")
            spelled = line["language"]
            with located(field="language"):
                line["language"] = codes.get(spelled) or codes.setdefault(spelled, parse_language(spelled))
        cell = (line["item"], line["language"], line.get("prompt") or "")
        if (earlier := first.setdefault(cell, row)) != row:
            raise CrossinError(
                f"item '{cell[0]}' occurs a second time in {cell[1]} (first in row {earlier})",
                file=file,
                row=row,
                field="item",
                hint="keep one of the two; if the prompts differ, name them in a field 'prompt'",
            )
    return lines


def _wrong_field(line: Line) -> tuple[str, str] | None:
    """The first field of the wrong type, and what belongs there."""
    for name in _KEYS:
        if not isinstance(line[name], str) or not line[name].strip():
            return name, "a text"
    for name in ("reply", "prompt", "inventory", "entity"):
        if not isinstance(line.get(name), str | None):
            return name, "a text, or null"
    ids, shown = line.get("option_ids", []), line.get("shown")
    if not isinstance(ids, list) or not all(isinstance(option, str) for option in ids):
        return "option_ids", "a list of option ids"
    if shown is not None and (not isinstance(shown, list) or sorted(map(str, shown)) != sorted(ids)):
        return "shown", "the option ids in the order of the prompt's list, or null"
    return None


def complete(lines: list[Line], items: Sequence[Item], file: Path) -> list[Line]:
    """`lines` with what their benchmark knows: group, task, options, gold and inventory. A reply to a
    multiple-choice item becomes the option that it names (`named_option`), or none. The prompt listed the
    options in the order of the line's `shown`, or else of its option ids. A reply that was cut within a
    thought names none.

    Raises CrossinError where a line is of another benchmark: an unknown id, other options, another gold.
    """
    by_cell = {(item.item, item.language): item for item in items}
    asked = {line["item"] for line in lines}
    if unknown := asked - {item.item for item in items}:
        row = next(row for row, line in enumerate(lines, start=1) if line["item"] in unknown)
        message = f"answers another benchmark: {len(unknown)} of its {len(asked)} items are not in this one"
        raise CrossinError(message, file=file, row=row, field="item", hint=_OTHER_BENCHMARK)
    completed = []
    if all("answer" not in line for line in lines):
        lines = with_thoughts_begun(lines)
    for row, line in enumerate(lines, start=1):
        with located(file, row, hint=_OTHER_BENCHMARK):
            completed.append(_complete(line, by_cell.get((line["item"], line["language"]))))
    return completed


def with_thoughts_begun(lines: list[Line]) -> list[Line]:
    """One model's lines; replies that were cut within a thought which their template begins, start with its
    tag, and are no answer.
    """
    places = [place for place, line in enumerate(lines) if line.get("reply")]
    cut = {places[one] for one in cut_without_a_tag([lines[place]["reply"] for place in places])}
    return [
        {**line, "reply": OPENING + line["reply"], "answer": None} if place in cut else line
        for place, line in enumerate(lines)
    ]


def _complete(line: Line, item: Item | None) -> Line:
    if item is None:
        message = f"the benchmark has no item '{line['item']}' in '{line['language']}'"
        raise CrossinError(message, field="language")
    known = {"group": item.group, "task": item.task, "option_ids": item.option_ids, "gold": item.answer}
    known |= {"aliases": item.aliases, "answer_type": item.answer_type}
    known |= {"inventory": item.inventory, "entity": item.entity}
    for name, value in known.items():
        found = line.get(name, value)
        if (sorted(found) != sorted(value)) if name == "option_ids" else (found != value):
            raise CrossinError(f"answers another benchmark: '{found}' here, '{value}' there", field=name)
    completed = {"answer": None, **known, **line}
    if completed["answer"] is None and item.options and line.get("reply"):
        texts = dict(zip(item.option_ids, item.options, strict=True))
        shown = line.get("shown") or completed["option_ids"]
        completed["answer"] = named_option(line["reply"], texts, shown, item.language)
    return completed


def named_option(
    reply: str, texts: Mapping[str, str], shown: Sequence[str], language: str | None = None
) -> str | None:
    """The id of the option that a reply names by its text (`texts`, by id) or by its letter in a list of the
    options in the order `shown`, for an item in this language; None where it names none.
    """
    chosen = read_reply(reply, [texts[option] for option in shown], language=language)
    return None if chosen is None else shown[chosen]


def _replies(file: Path) -> list[Line]:
    names = [*_REPLY, "prompt"]
    lines = []
    for row, line in read_records(file):
        for name in _REPLY:
            if name not in line:
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
