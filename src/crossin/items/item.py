"""The one form of a benchmark: `items.parquet`, one line an item and language (docs/bench.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, write_parquet
from crossin.core.formats import ITEMS

# JSON can hold half of a character; no file can.
_HALF = re.compile("[\ud800-\udfff]")
_AGAIN = "build the benchmark again, or look at all that is wrong with it: crossin bench check DIR"


@dataclass(frozen=True)
class Item:
    """One question in one language.

    `options` and `option_ids` are in the order shown, `answer` is an option id. An item that is answered in
    free text has no options, and `answer` is the reference text itself.
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

    @property
    def free_text(self) -> bool:
        """Whether the item is answered in one's own words."""
        return not self.option_ids


def items_file(place: Path) -> Path:
    """The items of a benchmark: the file itself, or that in its folder."""
    return place / ITEMS if place.is_dir() else place


def write_items(path: Path, items: list[Item]) -> None:
    """Write a benchmark's items."""
    import pyarrow

    text, texts = pyarrow.string(), pyarrow.list_(pyarrow.string())
    # Told, since a benchmark of free text alone has nothing in its lists to tell their type.
    schema = pyarrow.schema(
        [(name, texts if name in ("options", "option_ids") else text) for name in Item.__dataclass_fields__]
    )
    write_parquet(path, pyarrow.Table.from_pylist([asdict(item) for item in items], schema))


def read_items(place: Path) -> list[Item]:
    """The items of a benchmark (its file or folder), checked.

    Raises CrossinError, with file, row and field, for a file without items, an empty question or option, two
    options that are alike, an answer that is no option, an item that is twice in a language, or whose options
    or answer differ between languages. An item may lack a language.
    """
    file = items_file(place)
    items = read_unchecked(place)
    if not items:
        raise CrossinError("holds no items", file=file, hint="build the benchmark again")
    first: dict[str, tuple[int, Item]] = {}
    seen: set[tuple[str, str]] = set()
    for row, item in enumerate(items, start=1):
        wrong = fault(item)
        if wrong is None and (item.item, item.language) in seen:
            wrong = ("language", f"item '{item.item}' is here a second time in {item.language}")
        seen.add((item.item, item.language))
        earlier, other = first.setdefault(item.item, (row, item))
        if wrong is None and other is not item and (differs := difference(other, item)):
            wrong = (differs[0], f"item '{item.item}': {differs[1]} (row {earlier})")
        if wrong is not None:
            raise CrossinError(wrong[1], file=file, row=row, field=wrong[0], hint=_AGAIN)
    return items


def read_unchecked(place: Path) -> list[Item]:
    """The items of a benchmark as they stand, for whoever asks what is wrong with them; only their types are
    sure.
    """
    file = items_file(place)
    if not file.is_file():
        raise CrossinError(
            "there is no benchmark here",
            file=place,
            hint="name a folder that `crossin bench build` made, or the items.parquet in it",
        )
    items = []
    for row, line in enumerate(read_parquet(file, list(Item.__dataclass_fields__)).to_pylist(), start=1):
        for name, value in line.items():
            listed = name in ("options", "option_ids")
            texts = value if listed and isinstance(value, list) else [value]
            if listed != isinstance(value, list) or not all(isinstance(text, str) for text in texts):
                due = "a list of texts" if listed else "text"
                raise CrossinError(f"is not {due}", file=file, row=row, field=name, hint=_AGAIN)
        items.append(Item(**line))
    return items


def writable(text: str) -> bool:
    """Whether a text is made of whole characters (JSON may hold a lone surrogate)."""
    return _HALF.search(text) is None


class Fault(NamedTuple):
    """What is wrong with an item: its field; `kind` in a few words, the same for all such items; `message`,
    which says it of this one; and `value`, what stands there, where that tells more.
    """

    field: str
    kind: str
    message: str
    value: str = ""


def faults(item: Item) -> Iterator[Fault]:
    """All that keeps an item from being asked as it stands, but for options that are alike."""
    for name in ("item", "group", "language", "question", "answer"):
        if not getattr(item, name).strip():
            yield Fault(name, f"empty {name}", f"the {name} is empty")
    if len(item.options) != len(item.option_ids):
        message = "there are not as many options as option ids"
        yield Fault("options", "options without ids", message)
    if len(item.options) == 1:
        yield Fault("options", "only one option", "there is only one option")
    if not all(option.strip() for option in item.options):
        yield Fault("options", "empty option", "an option is empty")
    if len(set(item.option_ids)) < len(item.option_ids):
        yield Fault("option_ids", "option id twice", "an option id is there twice")
    if not item.free_text and item.answer.strip() and item.answer not in item.option_ids:
        message = f"'{item.answer}' is none of the option ids"
        yield Fault("answer", "answer not among the options", message, item.answer)


def fault(item: Item) -> tuple[str, str] | None:
    """The field of an item that cannot be asked as it stands, and why; None where it can."""
    for found in faults(item):
        return found.field, found.message
    if len({option.strip().casefold() for option in item.options}) < len(item.options):
        return "options", "two options are alike"
    return None


def difference(one: Item, two: Item) -> tuple[str, str] | None:
    """The field in which an item is not the same in two languages, and how; None where it is."""
    if len(one.options) != len(two.options):
        return (
            "options",
            f"{len(two.options)} options in {two.language}, {len(one.options)} in {one.language}",
        )
    if one.option_ids != two.option_ids:
        return "option_ids", f"the option ids of {two.language} are not those of {one.language}"
    if not one.free_text and one.answer != two.answer:
        return "answer", f"'{two.answer}' in {two.language}, '{one.answer}' in {one.language}"
    for name in ("group", "task"):
        if getattr(one, name) != getattr(two, name):
            return name, f"another {name} in {two.language} than in {one.language}"
    return None
