"""A benchmark of four questions in three languages, one of them in free text, and replies to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow

from crossin.core.files import write_parquet
from crossin.core.formats import ITEMS
from crossin.items import Item
from crossin.items.item import write_items

LANGUAGES = ("en", "de", "th")
OPTIONS = {
    "en": ["red", "green", "blue", "black"],
    "de": ["rot", "grün", "blau", "schwarz"],
    "th": ["แดง", "เขียว", "น้ำเงิน", "ดำ"],
}
IDS = ["red", "green", "blue", "black"]
GOLD = {"sky": "blue", "grass": "green", "coal": "black"}


def items() -> list[Item]:
    """Three multiple-choice items, and `name`, which is answered in free text."""
    made = []
    for name, answer in (*GOLD.items(), ("name", "Vienna")):
        for language in LANGUAGES:
            free = name == "name"
            made.append(
                Item(
                    item=name,
                    group=name,
                    task="name" if free else "colour",
                    language=language,
                    context="",
                    question=f"{name}? ({language})",
                    options=[] if free else OPTIONS[language],
                    option_ids=[] if free else IDS,
                    answer={"en": "Vienna", "de": "Wien", "th": "เวียนนา"}[language] if free else answer,
                    source="made up",
                    licence="CC0-1.0",
                )
            )
    return made


def write_bench(folder: Path, asked: list[Item] | None = None) -> Path:
    """The benchmark's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_items(folder / ITEMS, asked or items())
    return folder


def right_reply(item: Item) -> str:
    """A reply that answers an item rightly, in its language."""
    return item.options[item.option_ids.index(item.answer)] if item.options else item.answer


def replies(changed: Mapping[tuple[str, str], str | None] = {}, **more: Any) -> list[dict[str, Any]]:
    """Right replies to every item, but for those `changed`; `more` stands in every line."""
    return [
        {
            "item": item.item,
            "language": item.language,
            "reply": changed.get((item.item, item.language), right_reply(item)),
            **more,
        }
        for item in items()
    ]


def write_replies(path: Path, lines: list[dict[str, Any]]) -> Path:
    """A file of replies, JSON lines."""
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def answer_lines(**more: Any) -> list[dict[str, Any]]:
    """What an evaluation writes: log-probabilities that prefer gold."""
    return [
        {
            "item": item.item,
            "group": item.group,
            "task": item.task,
            "language": item.language,
            "option_ids": item.option_ids,
            "logprobs": [0.0 if option == item.answer else -1.0 for option in item.option_ids],
            "answer": item.answer,
            "gold": item.answer,
            **more,
        }
        for item in items()
        if item.options
    ]


def write_answers(folder: Path, lines: list[dict[str, Any]]) -> Path:
    """An evaluation's folder, without its benchmark and its manifest."""
    write_parquet(folder / "answers.parquet", pyarrow.Table.from_pylist(lines))
    return folder
