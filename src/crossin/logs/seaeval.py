"""SeaEval's logs: the files with a model's replies to one benchmark in every language."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError, located
from crossin.core.files import read_json
from crossin.core.paths import folder_name
from crossin.items import Item
from crossin.languages import parse_language
from crossin.logs.answers import LoggedAnswers
from crossin.logs.formats import Files, LogFormat, each_alone
from crossin.logs.lines import Line, complete
from crossin.logs.options import LogOptions

# The labels of choices.
LETTERS = "ABCDEFGHIJ"
_REPLY = "model_prediction"
_HINT = "give the log as SeaEval wrote it: <dataset>/<model>/<mode>_p<prompt>.json"
# SeaEval compares the first three characters of the choices: "(A)".
_LABEL = 3
# How much of a file is read to recognise a log; its first item is far shorter.
_HEAD = 1 << 20


@dataclass(frozen=True, eq=False)
class SeaEvalLog:
    """One model's replies to one benchmark, as SeaEval's log holds them.

    `names` are the log's names of the `languages`, both in the log's order. `items` go item by item, in that
    order of languages; their options carry their label, "(A) red", and the label is the option's id.
    `replies` are by item and language. `five_shot` runs are of base models, which continue after the answer.
    """

    names: tuple[str, ...]
    languages: tuple[str, ...]
    items: tuple[Item, ...]
    replies: Mapping[tuple[str, str], str]
    five_shot: bool


def is_log(path: Path) -> bool:
    """Whether a file looks like a SeaEval log: a JSON array whose first item has replies in a language."""
    with path.open(encoding="utf-8", errors="replace") as file:
        text = file.read(_HEAD).lstrip("\ufeff \t\r\n")
    if not text.startswith("["):
        return False
    try:
        first, _ = json.JSONDecoder().raw_decode(text[1:].lstrip())
    except (ValueError, RecursionError):
        return False
    return isinstance(first, dict) and _has_replies(first)


def _has_replies(record: dict[str, Any]) -> bool:
    return any(isinstance(cell, dict) and _REPLY in cell for cell in record.values())


def read_log(path: Path) -> SeaEvalLog:
    """The log in a file.

    Raises CrossinError, with the item's number as row, where the file is not a log of a multiple-choice
    benchmark, an item lacks a language or a field, or its labels or gold answer differ between languages.
    """
    records = _records(path)
    names = tuple(dict.fromkeys(name for record in records for name in record if name != "id"))
    languages = []
    for name in names:
        with located(path, 1, name, _HINT):
            languages.append(parse_language(name))
    if len(set(languages)) < len(languages):
        raise CrossinError(f"names a language twice: {', '.join(names)}", file=path, hint="keep one of them")
    items: list[Item] = []
    replies: dict[tuple[str, str], str] = {}
    for row, record in enumerate(records, start=1):
        with located(path, row, hint=_HINT):
            asked = _items(record, dict(zip(names, languages, strict=True)))
            if (asked[0].item, languages[0]) in replies:
                raise CrossinError(f"'{asked[0].item}' occurs a second time", field="id")
        replies |= {
            (item.item, item.language): record[x][_REPLY] for x, item in zip(names, asked, strict=True)
        }
        items += asked
    return SeaEvalLog(names, tuple(languages), tuple(items), replies, path.name.startswith("five_shot"))


def _records(path: Path) -> list[dict[str, Any]]:
    records = read_json(path)
    if isinstance(records, dict) and "overall_acc" in records:
        raise CrossinError(
            "holds SeaEval's scores, not the replies",
            file=path,
            hint="give the file beside it, without '_score' in its name",
        )
    if not isinstance(records, list) or not records or not all(isinstance(x, dict) for x in records):
        raise CrossinError("expected a list of items", file=path, hint=_HINT)
    if not _has_replies(records[0]):
        hint = f"{_HINT}; other replies go into JSON lines (.jsonl)"
        raise CrossinError("not a SeaEval log", file=path, hint=hint)
    return records


def _items(record: dict[str, Any], languages: Mapping[str, str]) -> list[Item]:
    """An item of the log in every language, from the codes of the `languages` by name."""
    identifier = str(record["id"]) if isinstance(record.get("id"), int) else record.get("id")
    if not isinstance(identifier, str):
        raise CrossinError("missing or not text", field="id")
    items = [_item(record.get(name), identifier, name, code) for name, code in languages.items()]
    for name, item in zip(languages, items, strict=True):
        if (item.option_ids, item.answer) != (items[0].option_ids, items[0].answer):
            raise CrossinError(f"has other labels or another answer than {next(iter(languages))}", field=name)
    return items


def _item(cell: Any, identifier: str, name: str, language: str) -> Item:
    if not isinstance(cell, dict):
        raise CrossinError("missing: every item is asked in every language", field=name)
    for field in ("question", "answer", _REPLY):
        if not isinstance(cell.get(field), str):
            raise CrossinError("missing or not text", field=f"{name}.{field}")
    choices = cell.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(x, str) for x in choices):
        raise CrossinError("expected a list of texts: only multiple choice is read", field=f"{name}.choices")
    if len(choices) > len(LETTERS):
        raise CrossinError(
            f"{len(choices)} choices; SeaEval has at most {len(LETTERS)}", field=f"{name}.choices"
        )
    option_ids = [choice[:_LABEL] for choice in choices]
    if len(set(option_ids)) < len(option_ids):
        raise CrossinError("expected a label in each, such as (A) and (B)", field=f"{name}.choices")
    if cell["answer"] not in choices:
        raise CrossinError(f"'{cell['answer']}' is not among the choices", field=f"{name}.answer")
    return Item(
        item=identifier,
        group=identifier,
        task="seaeval",
        language=language,
        context=cell.get("context", ""),
        question=cell["question"],
        options=choices,
        option_ids=option_ids,
        answer=cell["answer"][:_LABEL],
        source="SeaEval",
        licence="CC BY-NC 4.0",
    )


def _read(files: Files, options: LogOptions) -> list[LoggedAnswers]:  # noqa: ARG001
    [file] = files
    log = read_log(file)
    # SeaEval names a run by its mode and the number of its prompt: zero_shot_p1.
    mode, _, prompt = file.stem.rpartition("_")
    if not re.fullmatch(r"p\d+", prompt):
        mode, prompt = file.stem, ""
    replies: list[Line] = [
        {"item": item, "language": language, "reply": reply, "prompt": prompt}
        for (item, language), reply in log.replies.items()
    ]
    lines = complete(replies, log.items, file)
    return [
        LoggedAnswers(
            f"{folder_name(file)}/{mode}", folder_name(file.absolute().parent), file, lines, log.items
        )
    ]


FORMAT = LogFormat(lambda file: file.suffix == ".json" and is_log(file), each_alone, _read)
