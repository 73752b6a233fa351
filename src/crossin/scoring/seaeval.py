"""SeaEval's logs: the files with a model's replies to one benchmark in every language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from crossin.core.errors import CrossinError, located
from crossin.core.files import read_json
from crossin.items import Item
from crossin.languages import parse_language
from crossin.metrics.table import MISSING, AnswerTable, Floats, Integers
from crossin.scoring.seaeval_rule import LETTERS, align

_REPLY = "model_prediction"
_HINT = "give the log as SeaEval wrote it: <dataset>/<model>/<mode>_p<prompt>.json"
# SeaEval compares the first three characters of the choices: "(A)".
_LABEL = 3
# How much of a file is read to recognise a log; its first item is far shorter.
_HEAD = 1 << 20


@dataclass(frozen=True, eq=False)
class Log:
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

    @property
    def gold(self) -> Integers:
        """The position of the right option of each item: [I]."""
        first = self.items[:: len(self.languages)]
        return np.array([item.option_ids.index(item.answer) for item in first], dtype=np.int64)


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


def read_log(path: Path) -> Log:
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
    return Log(names, tuple(languages), tuple(items), replies, path.name.startswith("five_shot"))


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


def aligned_table(log: Log) -> AnswerTable:
    """The answers by SeaEval's own rule (`seaeval_chances`); missing where SeaEval draws one."""
    chances = seaeval_chances(log)
    first = log.items[:: len(log.languages)]
    return AnswerTable(
        items=tuple(item.item for item in first),
        languages=log.languages,
        groups=tuple(item.group for item in first),
        tasks=tuple(item.task for item in first),
        answers=np.where(chances.max(axis=2) == 1, chances.argmax(axis=2), MISSING),
        gold=log.gold,
        options=np.array([len(item.options) for item in first], dtype=np.int64),
    )


def seaeval_chances(log: Log) -> Floats:
    """The chance of each option by SeaEval's own rule (`crossin.scoring.seaeval_rule`), draws included:
    [I, L, K], items and languages in the log's order.

    Of five-shot runs the first line of a reply counts, as in SeaEval.
    """
    chances = np.zeros((len(log.items), max(len(item.options) for item in log.items)))
    for cell, item in zip(chances, log.items, strict=True):
        reply = log.replies[item.item, item.language]
        among = align(reply.split("\n")[0] if log.five_shot else reply, item.options)
        cell[list(among)] = 1 / len(among)
    return chances.reshape(-1, len(log.languages), chances.shape[1])


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
