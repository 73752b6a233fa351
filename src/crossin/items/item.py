"""A benchmark's items in `items.parquet`: one row per item and language (docs/bench.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, write_parquet
from crossin.core.formats import ENTITIES, ITEMS
from crossin.core.paths import as_path
from crossin.core.reasons import Reason, sentence_of
from crossin.core.stages import Stage
from crossin.items.inventories import Inventory, write_inventories
from crossin.languages.numbers import last_number

# JSON can hold lone surrogates; no file can.
_SURROGATE = re.compile("[\ud800-\udfff]")
_HINT = "build the benchmark again, or list all errors: crossin bench check DIR"
_LISTS = ("options", "option_ids", "aliases", "paraphrases")
# How a free-text reply is compared: by its words, or by the last number in it.
AnswerType = Literal["text", "number"]


class ItemFault(Reason):
    """What makes an item unusable, or another question in one language than in another."""

    EMPTY = "empty_text", "the text is empty", "fill it in the source, or leave the language out"
    OPTIONS_WITHOUT_IDS = "options_without_ids", "there are not as many options as option ids"
    ONE_OPTION = "one_option", "there is only one option"
    OPTION_ID_TWICE = "option_id_twice", "an option id occurs twice"
    ANSWER_NOT_AN_OPTION = "answer_not_an_option", "the answer is not one of the options"
    OPTIONS_ALIKE = "options_alike", "two options are alike"
    GAP = (
        "gap",
        "the question does not have its gap exactly once",
        "correct the sentence, or the mapping's `gap`",
    )
    NOT_A_NUMBER = "not_a_number", "the answer is not a number", "write it in digits"
    UNKNOWN_ENTITY = (
        "unknown_entity",
        "entities.parquet lacks the inventory or the entity",
        "build the benchmark again, or add the entity with its names",
    )
    ENTITY_WITHOUT_NAME = (
        "entity_without_name",
        "the right entity has no name in the language",
        "add its name to entities.parquet",
    )
    ITEM_TWICE = "item_twice", "the item occurs twice in the language", "give each item an id of its own"
    MISSING_LANGUAGE = (
        "missing_language",
        "missing in the language",
        "leave the language out with --languages, or add what is missing in it",
    )
    DIFFERS = (
        "differs_by_language",
        "differs between languages",
        "check that the same rows of each file belong together",
    )


class Fault(NamedTuple):
    """What is wrong with an item: the reason code, the item's field, and the values where that helps."""

    reason: str
    field: str
    detail: str = ""


@dataclass(frozen=True)
class Item:
    """One question in one language.

    `options` and `option_ids` are in the order shown; `answer` is an option id. A free-text item has no
    options, and `answer` is the reference text; `aliases` are other references that are as right, and
    `answer_type` is how a reply is compared with them. `gap` is the mark in `question` that an option or the
    answer replaces; empty for an item without one. `origin` is the language that the question was first
    written in, or whose speakers know the answer; empty where this is not known. `inventory` names the
    inventory of a free-text item, the entities that may answer it (`crossin.items.inventories`), and `entity`
    is the right one's id there; both are empty where the item has none. `paraphrases` ask the same in other
    words, with the same gap; a language may have fewer. An evaluation does not ask them.
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
    gap: str = ""
    aliases: list[str] = field(default_factory=list)
    answer_type: AnswerType = "text"
    origin: str = ""
    inventory: str = ""
    entity: str = ""
    paraphrases: list[str] = field(default_factory=list)

    @property
    def free_text(self) -> bool:
        """Whether the item is answered in free text."""
        return not self.option_ids

    @property
    def right_text(self) -> str:
        """The text of the right option, or the reference."""
        return self.answer if self.free_text else self.options[self.option_ids.index(self.answer)]

    @property
    def right_texts(self) -> list[str]:
        """The same with the aliases."""
        return [self.right_text, *self.aliases]

    def filled(self, text: str) -> str:
        """The question with a text in its gap."""
        return self.question.replace(self.gap, text)


# By name: columns that a file may lack, each with its value where it does.
_OPTIONAL: dict[str, Any] = {
    "gap": "",
    "aliases": [],
    "answer_type": "text",
    "origin": "",
    "inventory": "",
    "entity": "",
    "paraphrases": [],
}
_REQUIRED = [one.name for one in fields(Item) if one.name not in _OPTIONAL]


def items_file(place: Path | str) -> Path:
    """The file of a benchmark's items: `place` itself, or the file in that folder."""
    place = as_path(place)
    return place / ITEMS if place.is_dir() else place


def write_items(path: Path | str, items: Sequence[Item]) -> None:
    """Write a benchmark's items, without the optional columns that no item uses."""
    import pyarrow

    rows = [asdict(item) for item in items]
    used = [name for name, unset in _OPTIONAL.items() if any(row[name] != unset for row in rows)]
    text, texts = pyarrow.string(), pyarrow.list_(pyarrow.string())
    # Given, since the lists of free-text items are all empty and have no type of their own.
    schema = pyarrow.schema([(name, texts if name in _LISTS else text) for name in [*_REQUIRED, *used]])
    write_parquet(as_path(path), pyarrow.Table.from_pylist(rows, schema))


def finish_bench(
    work: Stage,
    items: Sequence[Item],
    skipped: Mapping[str, int],
    *,
    outputs: Sequence[str] = (),
    inventories: Sequence[Inventory] = (),
    **counts: Any,
) -> None:
    """Finish the stage `bench`: write the items and their inventories. The manifest counts items by task, and
    where not every item is there in every language, `by_language` too.

    outputs: other files in the stage's folder. counts: what else the manifest counts.
    """
    write_items(work.folder / ITEMS, items)
    tasks = Counter({item.item: item.task for item in items}.values())
    languages = list(dict.fromkeys(item.language for item in items))
    if len(items) < tasks.total() * len(languages):
        counts["by_language"] = {
            language: dict(Counter(item.task for item in items if item.language == language))
            for language in languages
        }
    if inventories:
        write_inventories(work.folder / ENTITIES, inventories)
        outputs = [ENTITIES, *outputs]
    work.finish(
        [ITEMS, *outputs],
        {"items": tasks.total(), "languages": len(languages), "tasks": dict(tasks), **counts},
        skipped,
    )


def read_items(place: Path | str) -> list[Item]:
    """The items of a benchmark (its file or folder), checked.

    Raises CrossinError, with file, row and field, for a file without items, for an item that occurs twice in
    a language, and for what `faults` and `difference` find. An item may lack a language.
    """
    file = items_file(place)
    items = read_unchecked(place)
    if not items:
        raise CrossinError("there are no items", file=file, hint="build the benchmark again")
    first: dict[str, tuple[int, Item]] = {}
    seen: set[tuple[str, str]] = set()
    for row, item in enumerate(items, start=1):
        wrong = next(faults(item), None)
        if wrong is None and (item.item, item.language) in seen:
            wrong = Fault(ItemFault.ITEM_TWICE, "language", item.language)
        seen.add((item.item, item.language))
        earlier, other = first.setdefault(item.item, (row, item))
        if wrong is None and other is not item and (wrong := difference(other, item)):
            wrong = wrong._replace(detail=f"{wrong.detail}; see row {earlier}")
        if wrong is not None:
            message = f"item '{item.item}': {sentence_of(wrong.reason)}"
            message += f": {wrong.detail}" if wrong.detail else ""
            raise CrossinError(message, file=file, row=row, field=wrong.field, hint=_HINT)
    return items


def read_unchecked(place: Path | str) -> list[Item]:
    """The items of a benchmark as they are; only their types are checked."""
    file = items_file(place)
    if not file.is_file():
        raise CrossinError(
            "there is no benchmark here",
            file=place,
            hint="give a folder that `crossin bench build` made, or the items.parquet in it",
        )
    items = []
    for row, line in enumerate(read_parquet(file, _REQUIRED, _OPTIONAL).to_pylist(), start=1):
        for name, value in line.items():
            texts = value if name in _LISTS else [value]
            if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
                expected = "a list of texts" if name in _LISTS else "text"
                raise CrossinError(f"expected {expected}", file=file, row=row, field=name, hint=_HINT)
        if line.get("answer_type", "text") not in get_args(AnswerType):
            message = f"expected {' or '.join(get_args(AnswerType))}"
            raise CrossinError(message, file=file, row=row, field="answer_type", hint=_HINT)
        items.append(Item(**line))
    return items


def share_items(items: Sequence[Item]) -> bool:
    """Whether languages share any item; also where there is only one language. If not, the benchmark is not
    parallel: each language has items of its own.
    """
    pairs = {(item.item, item.language) for item in items}
    return len({item for item, _ in pairs}) < len(pairs) or len({language for _, language in pairs}) == 1


def writable(text: str) -> bool:
    """Whether a text can be written as UTF-8: JSON may hold lone surrogates."""
    return _SURROGATE.search(text) is None


def faults(item: Item) -> Iterator[Fault]:
    """Everything that keeps an item from being asked."""
    for name in ("item", "group", "language", "question", "answer"):
        if not getattr(item, name).strip():
            yield Fault(ItemFault.EMPTY.about(name), name)
    if len(item.options) != len(item.option_ids):
        yield Fault(ItemFault.OPTIONS_WITHOUT_IDS, "options")
    if len(item.options) == 1:
        yield Fault(ItemFault.ONE_OPTION, "options")
    if not all(option.strip() for option in item.options):
        yield Fault(ItemFault.EMPTY.about("option"), "options")
    if len(set(item.option_ids)) < len(item.option_ids):
        yield Fault(ItemFault.OPTION_ID_TWICE, "option_ids")
    if not item.free_text and item.answer.strip() and item.answer not in item.option_ids:
        yield Fault(ItemFault.ANSWER_NOT_AN_OPTION, "answer", item.answer)
    if len({option.strip().casefold() for option in item.options}) < len(item.options):
        yield Fault(ItemFault.OPTIONS_ALIKE, "options")
    if item.entity and not item.inventory:
        yield Fault(ItemFault.EMPTY.about("inventory"), "inventory")
    if not all(text.strip() for text in item.paraphrases):
        yield Fault(ItemFault.EMPTY.about("paraphrase"), "paraphrases")
    for name, texts in (("question", [item.question]), ("paraphrases", item.paraphrases)):
        if item.gap and any(text.count(item.gap) != 1 for text in texts):
            yield Fault(ItemFault.GAP, name, item.gap)
    if item.free_text and item.answer_type == "number":
        for name, references in (("answer", [item.answer]), ("aliases", item.aliases)):
            for reference in references:
                if not last_number(reference, item.language):
                    yield Fault(ItemFault.NOT_A_NUMBER.about(name), name, reference)


def difference(one: Item, two: Item) -> Fault | None:
    """The first field in which an item differs between two languages; None where it is the same."""
    compared: dict[str, tuple[object, object]] = {
        "options": (len(one.options), len(two.options)),
        "option_ids": (one.option_ids, two.option_ids),
        "answer": (one.free_text or one.answer, two.free_text or two.answer),
        "group": (one.group, two.group),
        "task": (one.task, two.task),
        "answer_type": (one.answer_type, two.answer_type),
        "gap": (bool(one.gap), bool(two.gap)),
        "inventory": (one.inventory, two.inventory),
        "entity": (one.entity, two.entity),
    }
    for name, (left, right) in compared.items():
        if left != right:
            detail = f"{two.language}: {right}, {one.language}: {left}"
            return Fault(ItemFault.DIFFERS.about(name), name, detail)
    return None
