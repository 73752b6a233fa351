"""The one form of a benchmark: `items.parquet`, one line an item and language (docs/formats.md)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from crossin.errors import CrossinError
from crossin.files import read_parquet, write_parquet

ITEMS = "items.parquet"


@dataclass(frozen=True)
class Item:
    """One question in one language; `options` and `option_ids` are in the order shown, `answer` is an option
    id.
    """

    item: str
    group: str
    task: str
    language: str
    context: str
    question: str
    options: list[str]
    option_ids: list[str]
    answer: str
    source: str
    licence: str


def write_items(path: Path, items: list[Item]) -> None:
    """Write a benchmark's items."""
    import pyarrow

    write_parquet(path, pyarrow.Table.from_pylist([asdict(item) for item in items]))


def read_items(path: Path) -> list[Item]:
    """The items of a benchmark file, checked: an answer among the options, as many options as option ids,
    none empty.
    """
    items = [Item(**line) for line in read_parquet(path, list(Item.__dataclass_fields__)).to_pylist()]
    for number, item in enumerate(items):
        if len(item.options) != len(item.option_ids) or not all(item.options):
            raise CrossinError(
                "holds an empty option, or not as many options as option ids",
                file=path,
                row=number + 1,
                field="options",
                fix="build the benchmark again",
            )
        if item.answer not in item.option_ids:
            raise CrossinError(
                f"'{item.answer}' is none of the option ids",
                file=path,
                row=number + 1,
                field="answer",
                fix="build the benchmark again",
            )
    return items
