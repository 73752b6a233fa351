"""A mapping of one's own, its rows, and files of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import yaml

from crossin.bench.catalogue import build_named
from crossin.items.item import Item, read_items

# A mapping of one's own, for a table with a column a language.
OWN: dict[str, Any] = {
    "licence": "CC0-1.0",
    "languages": {"en": "en", "Vietnamese": "vi"},
    "join": "id",
    "item": "{key}",
    "task": "nature",
    "question": "{question_{language}}",
    "options": ["{yes_{language}}", "{no_{language}}"],
    "answer": {"column": "right", "form": "letter"},
}
ROWS = [
    {
        "key": number,
        "question_en": f"Is {number} even?",
        "question_vi": f"{number} có chẵn không?",
        "yes_en": "yes, it is",
        "yes_vi": "có",
        "no_en": "no, it is odd",
        "no_vi": "không",
        "right": "B" if number % 2 else "A",
    }
    for number in range(4)
]


def own(folder: Path, **entries: Any) -> str:
    path = folder / "own.yaml"
    path.write_text(yaml.safe_dump({**OWN, **entries}, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return str(path)


def jsonl(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def texts(path: Path, *lines: Sequence[object]) -> Path:
    """A file of tab-separated lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines), encoding="utf-8")
    return path


def document(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2), encoding="utf-8")
    return path


def parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def built(name: str, folder: Path, **wishes: Any) -> list[Item]:
    build_named(name, folder / "out", source=wishes.pop("source", folder), **wishes)
    return read_items(folder / "out")


def only(items: list[Item], name: str, language: str) -> Item:
    return next(item for item in items if (item.item, item.language) == (name, language))


def shown(item: Item) -> tuple[str, list[str], str]:
    """What a reader sees: the question, the options, and the text of the right one (or the reference)."""
    right = item.answer if item.free_text else item.options[item.option_ids.index(item.answer)]
    return item.question, item.options, right
