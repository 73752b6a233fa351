"""Stored answers of any harness as tables: a table of answers and one of texts for each wording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.formats import ENTITIES
from crossin.core.results import brief
from crossin.core.thoughts import without_thoughts
from crossin.items.inventories import Inventory
from crossin.items.item import share_items
from crossin.items.replies.cleaning import own_answer
from crossin.items.replies.entities import first_line, read_entity
from crossin.logs.answers import LoggedAnswers
from crossin.logs.golds import with_golds
from crossin.logs.lines import Line
from crossin.metrics.reading import tables_of
from crossin.metrics.table import AnswerTable, Floats, ItemTable
from crossin.metrics.texts import TextTable, text_table_of

Cell = tuple[str, str]


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """One model's answers under one wording of the prompt.

    `log` is what they were read from. `choices` holds the items whose answer is an option: multiple choice,
    and free text that names an entity of an inventory. `logprobs` [I, L, K] are the log-probabilities of the
    options (or what decided in their place, `read_logprobs`) where the log has them, and `texts` holds the
    items answered in free text, those with an inventory included; what a log does not hold is None. `prompt`
    names the wording; it is empty where the log names none. `thoughts_cut` counts by language the replies
    that end within a thought, which are missing. `entities` are those read from replies, by item and
    language, and `unread` counts the replies in which none was read, by language and reason code;
    `reasons` has the code of each. `any_language` is how they were read (`tables_of_log`).
    """

    log: LoggedAnswers
    prompt: str
    choices: AnswerTable | None
    logprobs: Floats | None
    texts: TextTable | None
    thoughts_cut: Mapping[str, int] = field(default_factory=dict)
    entities: Mapping[Cell, str] = field(default_factory=dict)
    unread: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reasons: Mapping[Cell, str] = field(default_factory=dict)
    any_language: bool = False

    def __repr__(self) -> str:
        return f"Predictions({self.name!r}, {self.items:,} items in {brief(self.languages)})"

    @property
    def model(self) -> str:
        """The model's name."""
        return self.log.model

    @property
    def file(self) -> Path:
        """The log's file, or the first of several."""
        return self.log.file

    @property
    def unanswered(self) -> int:
        """How many items of the benchmark are not in the log; 0 where the benchmark is not known."""
        return self.log.unanswered

    @property
    def name(self) -> str:
        """Model and wording, as a table's heading."""
        return f"{self.model} {self.prompt}".rstrip()

    @property
    def tables(self) -> list[ItemTable]:
        """What the file holds: answers, free text, or both."""
        return [table for table in (self.choices, self.texts) if table is not None]

    @property
    def items(self) -> int:
        """How many items the figures are computed from; an item in both tables counts once."""
        return len(self._items)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages asked in, including those with free text only."""
        return tuple(dict.fromkeys(language for table in self.tables for language in table.languages))

    @property
    def parallel(self) -> bool:
        """Whether the items were asked in every language, and not each in one only."""
        return all(table.parallel for table in self.tables)

    @property
    def by_language(self) -> dict[str, int]:
        """How many items a language's figures are computed from."""
        items: dict[str, set[str]] = {language: set() for language in self.languages}
        for table in self.tables:
            for language, asked in zip(table.languages, table.asked.T, strict=True):
                items[language].update(item for item, there in zip(table.items, asked, strict=True) if there)
        return {language: len(of_language) for language, of_language in items.items()}

    @property
    def incomplete(self) -> dict[str, str]:
        """Items left out of every figure, each with the first language that it lacks."""
        lacking = {item: language for table in self.tables for item, language in table.incomplete.items()}
        items = self._items
        return {item: language for item, language in lacking.items() if item not in items}

    @property
    def _items(self) -> set[str]:
        return {item for table in self.tables for item in table.items}


def tables_of_log(log: LoggedAnswers, *, any_language: bool = False) -> list[Predictions]:
    """The tables of a log: one entry for each wording of the prompt.

    A reply to an item with an inventory is read as the entity it names (`read_entity`; `any_language`: also
    in another language than the one asked): the item is in both tables. Raises CrossinError where a line is
    malformed, an inventory is not known, or each item was asked in one language only though the benchmark has
    it in several.
    """
    lines, file = log.lines, log.file
    if not lines:
        raise CrossinError("holds no answers", file=file, hint="write a line for every item and language")
    entities, unread = _entities(log, any_language)
    named = [_with_options(log, line, entities) if line.get("inventory") else line for line in lines]
    choices = tables_of(named, file) if any(line["option_ids"] for line in named) else {}
    of_prompt: dict[str, list[Line]] = {}
    for line in lines:
        of_prompt.setdefault(_prompt(line), []).append(line)
    names = {name: _names(inventory) for name, inventory in log.inventories.items()}
    found = []
    for prompt, part in of_prompt.items():
        table, logprobs = choices.get(prompt, (None, None))
        texts = text_table_of(map(_answered, part), file, names=names)
        # An answer that is there was not read from the reply here.
        replied = [line for line in part if line.get("reply") and line["answer"] is None]
        cut = Counter(line["language"] for line in replied if without_thoughts(line["reply"]) is None)
        asked = set(table.items if table else ())
        read = {cell: entity for cell, entity in entities.get(prompt, {}).items() if cell[0] in asked}
        reasons = unread.get(prompt, {})
        counted = _counted(reasons, asked)
        found.append(
            Predictions(log, prompt, table, logprobs, texts, dict(cut), read, counted, reasons, any_language)
        )
    if not all(one.parallel for one in found) and log.items and share_items(log.items):
        raise CrossinError(
            "each item was asked in one language only, though the benchmark has it in several",
            file=file,
            field="language",
            hint="ask every item in every language",
        )
    return found


def with_same_golds(found: Sequence[Predictions]) -> list[Predictions]:
    """Predictions that are compared with each other: those of logs that do not hold the right options, with
    the ones that all of the logs tell (`crossin.logs.golds`), and without items that any of them shows to
    differ between languages.
    """
    if len(found) < 2 or not all(one.log.marks for one in found):
        return list(found)
    logs = with_golds([one.log for one in found])
    return [
        next(table for table in tables_of_log(log) if table.prompt == one.prompt)
        for one, log in zip(found, logs, strict=True)
    ]


def _entities(
    log: LoggedAnswers, any_language: bool
) -> tuple[dict[str, dict[Cell, str]], dict[str, dict[Cell, str]]]:
    """The entity that each reply to an item with an inventory names, or the reason code why none was read:
    by wording, then by item and language.
    """
    entities: dict[str, dict[Cell, str]] = {}
    unread: dict[str, dict[Cell, str]] = {}
    questions = {(item.item, item.language): item.question for item in log.items if item.inventory}
    for line in log.lines:
        if not (name := line.get("inventory")):
            continue
        _check_inventory(log, line)
        cell = (line["item"], line["language"])
        asked = questions.get(cell, "")
        inventory = log.inventories[name]
        reading = read_entity(
            line.get("reply"), inventory, cell[1], question=asked, any_language=any_language
        )
        if reading.entity is not None:
            entities.setdefault(_prompt(line), {})[cell] = reading.entity
        elif reading.unread is not None:
            unread.setdefault(_prompt(line), {})[cell] = reading.unread
    return entities, unread


def _check_inventory(log: LoggedAnswers, line: Line) -> None:
    name, item = line["inventory"], line["item"]
    if name not in log.inventories:
        raise CrossinError(
            f"item '{item}' is answered with an entity of the inventory '{name}', which is not there",
            file=log.file,
            field="inventory",
            hint=f"name the benchmark's folder, which holds {ENTITIES}, with --bench",
        )
    if line.get("entity") not in log.inventories[name].names:
        raise CrossinError(
            f"the right answer to item '{item}' is the entity '{line.get('entity') or ''}', which the "
            f"inventory '{name}' lacks",
            file=log.file,
            field="entity",
            hint=f"use the {ENTITIES} of the benchmark that was asked",
        )


def _with_options(log: LoggedAnswers, line: Line, entities: Mapping[str, Mapping[Cell, str]]) -> Line:
    """A line of free text as one whose options are the entities of its inventory."""
    return {
        **line,
        # One list for all lines of an inventory.
        "option_ids": log.inventories[line["inventory"]].ids,
        "gold": line["entity"],
        "answer": entities.get(_prompt(line), {}).get((line["item"], line["language"])),
    }


def _names(inventory: Inventory) -> dict[str, set[str]]:
    """The names of all entities, by language."""
    found: dict[str, set[str]] = {}
    for of_language in inventory.names.values():
        for language, names in of_language.items():
            found.setdefault(language, set()).update(names)
    return found


def _counted(unread: Mapping[Cell, str], items: Iterable[str]) -> dict[str, dict[str, int]]:
    """How many replies to these items were not read, by language and reason code."""
    counted: dict[str, Counter[str]] = {}
    of_items = set(items)
    for (item, language), code in unread.items():
        if item in of_items:
            counted.setdefault(language, Counter())[code] += 1
    return {language: dict(reasons) for language, reasons in counted.items()}


def _prompt(line: Line) -> str:
    return line.get("prompt") or ""


def _answered(line: Line) -> Line:
    """A line of free text with the part of its reply that is the answer: of an item with an inventory, the
    first line, in which the entity is read, too.
    """
    reply = line.get("reply")
    if line["option_ids"] or not isinstance(reply, str):
        return line
    text = own_answer(reply)
    if text and line.get("inventory"):
        text = first_line(text.strip())
    return {**line, "reply": text}
