"""A mapping: a small YAML file that says how a dataset becomes items (docs/mappings.md).

Its texts are templates: `{column}` stands for a column's value in a row, and `{language}` for what the
dataset calls the language, so that `{question_{language}}` is another column in each language. A column is
named by its path: `choices.text` is inside `choices`, and `choices.0` is the first of a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.core.settings import Settings, as_value_error, validated
from crossin.languages import parse_language

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_DOUBLED = re.compile(r"\{\{[^{}]+\}\}")
# What stands for the text that `template` makes.
FILLED = "template"


def _by_code(value: Any) -> Any:
    """A mapping whose keys are languages in any spelling, or a list of the dataset's names, by code."""
    if isinstance(value, list):
        pairs = [(name, name) for name in value]
    elif isinstance(value, dict):
        pairs = list(value.items())
    else:
        return value
    codes: dict[str, Any] = {}
    for name, inside in pairs:
        with as_value_error():
            code = parse_language(name)
        if code in codes:
            raise ValueError(f"names {code} twice, in different spellings")
        codes[code] = inside
    return codes


def _template(value: Any) -> Any:
    found = _by_code(value) if isinstance(value, dict) else value
    texts = found.values() if isinstance(found, dict) else [found]
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("expected a text, or a text for each language")
    return found


def templates_or_source(value: Any) -> Any:
    """Before an `OptionsSource` is read: a list is that of its templates."""
    return {"templates": value} if isinstance(value, list) else value


def _wrong(message: str, field: str, hint: str) -> CrossinError:
    return CrossinError(message, field=field, hint=hint)


# A path in a row, a place in a list, or another text that may look like a number; `Name` may be ''.
_AS_TEXT = BeforeValidator(lambda value: str(value) if type(value) is int else value)
Name = Annotated[str, _AS_TEXT]
ByLanguage = Annotated[dict[str, Name], BeforeValidator(_by_code)]
# One template, or one for each language.
Template = Annotated[str | dict[str, str], PlainValidator(_template)]
_Given = Annotated[str, Field(min_length=1), _AS_TEXT]


class FilledTemplate(Settings):
    """A template that is in the data: the text in `column`, in which each mark in `fill` is replaced by its
    own template. `paraphrases`: the columns of templates that ask the same in other words.
    """

    column: _Given
    paraphrases: tuple[_Given, ...] = ()
    fill: dict[str, str] = Field(default_factory=dict)


class TokenSpan(Settings):
    """A gap in the place of some tokens of the question: `span` leads to the first one's number, from 0, and
    the number after the last.
    """

    tokens: _Given
    span: _Given


class OptionsSource(Settings):
    """Where options come from: a template each, or one `column`.

    column: a list of texts; an object with an option a key; a list of objects (or lists); a text with
    `separator` between the options; or without it, a list in text form.
    text, label: what names an option's text and its label in each object. `label` may instead be the path to
    a list of the row, as `ids` may.
    ids: the options' ids, by which they are matched across languages: a path as for `label`, or a list of
    templates.
    skip_empty: null and blank options do not exist; without it, they leave the item out.
    """

    templates: list[str] | None = Field(default=None, min_length=2)
    column: Name = ""
    separator: str | None = Field(default=None, min_length=1)
    text: Name = ""
    label: Name = ""
    ids: Name | list[str] = ""
    skip_empty: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.templates is None) == (not self.column):
            raise ValueError("expected a list of templates, or `column`")
        with as_value_error():
            for error in self._contradictions():
                raise error
        return self

    def _contradictions(self) -> Iterator[CrossinError]:
        for name in ("separator", "text", "label"):
            if self.templates is not None and getattr(self, name):
                yield _wrong(f"`{name}` is for options from one `column`", name, "remove it")
        if self.separator is not None and self.text:
            yield _wrong(
                "a text with a `separator` holds no objects with a key `text`",
                "text",
                "remove one of the two",
            )
        if isinstance(self.ids, list) and self.templates is not None and len(self.ids) != len(self.templates):
            yield _wrong(
                f"there are {len(self.templates)} templates of options and {len(self.ids)} of ids",
                "ids",
                "give one for each option",
            )


AnswerForm = Literal["letter", "index", "number", "text", "label", "id", "labels", "first"]


class AnswerSource(Settings):
    """The column that holds the answer, and how.

    form: `letter` (A is the first option), `index` (0 is), `number` (1 is; without options, the answer is a
    number), `text` (the option's, or the reference of a free-text item), `label` or `id` (the option's),
    `labels` (a list with a 1 for the right option and a 0 for each other one; the path of a list, or a key of
    each option's object), or `first`, which has no column.
    separator: what stands between several right answers: the other references of a free-text item; an item
    with options is left out.
    text, aliases: what names a reference and its aliases in each object. `aliases` may instead be the column
    of the further references.
    """

    column: Name = ""
    form: AnswerForm
    separator: str | None = Field(default=None, min_length=1)
    text: Name = ""
    aliases: Name = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.form == "first") == bool(self.column):
            with as_value_error():
                if self.column:
                    raise _wrong(
                        "the first option is right: there is no column to read", "column", "remove it"
                    )
                raise _wrong("is required, and missing", "column", "name the column that holds the answer")
        return self


class DatasetMapping(Settings):
    """How a dataset becomes items.

    dataset, revision: its place on the hub. licence, about, items: for people; `items` is the number per
    language.
    files: where each language's rows are, from the dataset's folder: patterns with `{language}` and
    `{split}`, of which the first that matches counts; the hub's usual names are tried after them.
    rows: each file is one JSON object, and the list at this path has the rows; the object's other values are
    columns of each row.
    columns: the names of the columns, for a .csv or .tsv without a header.
    rename: columns that have other names in some copies of the files, `{other name: the name here}`.
    languages: each language's name in the dataset. language_column: where one table holds all of them: a
    column, or a template of columns.
    join: rows are the same item by `id` (the template `item`), or by `position` in files of equal length;
    with `none`, each language has questions of its own.
    item, group, task: templates, filled from the first language (English where it is chosen). A group is
    what a bootstrap resamples by, such as a paragraph; the item itself where not given.
    template: a template that is in the data; `{template}` stands for what it makes.
    words: the values of a column in each language, for questions that are identified by a key.
    gap: what an option, or the answer, replaces: the mark in the question, or some of its tokens.
    options: a template each, or one column; none for free-text items.
    shuffle: show the options in an order drawn for each item, the same in every language, for datasets whose
    right option is always at the same place.
    origin: a template for the language that the question was first written in, or whose speakers know the
    answer.
    inventory: a template for the name of a free-text item's inventory: the answers of all items with this
    name, in every language, are the entities that a reply may name. entity: a template for the id of the
    right one; the reference in the first language where not given.
    """

    about: str = ""
    dataset: str | None = None
    revision: str = "main"
    licence: str
    items: int | None = Field(default=None, gt=0)
    split: str = "test"
    files: tuple[str, ...] = ()
    rows: _Given | None = None
    columns: tuple[str, ...] = ()
    rename: dict[str, str] = Field(default_factory=dict)
    languages: ByLanguage = Field(min_length=1)
    language_column: str | None = None
    join: Literal["id", "position", "none"]
    item: str | None = None
    group: str | None = None
    task: str
    template: FilledTemplate | None = None
    context: Template = ""
    question: Template
    words: dict[str, dict[Name, ByLanguage]] = Field(default_factory=dict)
    gap: str | TokenSpan = ""
    options: Annotated[OptionsSource | None, BeforeValidator(templates_or_source)] = None
    shuffle: bool = False
    answer: AnswerSource
    origin: str = ""
    inventory: str = ""
    entity: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        with as_value_error():
            for error in (*self._lacking_languages(), *self._text_contradictions(), *self._contradictions()):
                raise error
        return self

    def _contradictions(self) -> Iterator[CrossinError]:
        for pattern in self.files:
            for name in PLACEHOLDER.findall(pattern):
                if name not in ("language", "split"):
                    yield _wrong(f"'{pattern}' has {{{name}}}", "files", "write {language} or {split}")
        if (self.join == "id" and self.item is None) or (self.join == "position" and self.item is not None):
            yield _wrong("`join: id` and the template `item` go together", "join", "give both, or neither")
        if self.rows is not None and self.columns:
            yield _wrong(
                "`rows` is for JSON files and `columns` for .csv and .tsv files",
                "rows",
                "remove one of the two",
            )
        answer, options = self.answer, self.options
        if options is None and answer.form not in ("text", "number"):
            yield _wrong(
                "without `options` the answer's `form` must be text or number", "answer.form", "add `options`"
            )
        if options is None and self.shuffle:
            yield _wrong("there are no `options` to shuffle", "shuffle", "add `options`, or remove it")
        for name in ("text", "aliases"):
            if getattr(answer, name) and (options is not None or answer.form != "text"):
                yield _wrong(
                    f"`answer.{name}` is for free-text items, whose `form` is text",
                    f"answer.{name}",
                    "remove it",
                )
        yield from self._inventory_contradictions()
        if options is None and answer.form == "number" and answer.separator is not None:
            yield _wrong("an answer that is a number is not split", "answer.separator", "remove it")
        if options is None:
            return
        if answer.form == "first" and not self.shuffle:
            yield _wrong("the right option would always be shown first", "answer.form", "add `shuffle: true`")
        if answer.form == "id" and not options.ids:
            yield _wrong("`form: id` needs `options.ids`", "answer.form", "add `ids` to `options`")
        if answer.form == "label" and options.templates is not None:
            yield _wrong(
                "options from templates have no labels", "answer.form", "use letter, index or number"
            )

    def _inventory_contradictions(self) -> Iterator[CrossinError]:
        if not self.inventory:
            if self.entity:
                yield _wrong(
                    "an entity is part of an inventory", "entity", "add `inventory`, or remove `entity`"
                )
            return
        if self.options is not None or self.answer.form != "text":
            yield _wrong(
                "an inventory is for free-text items, whose `form` is text", "inventory", "remove it"
            )
        if self.join == "none" and not self.entity:
            yield _wrong(
                "with `join: none`, names cannot be joined across languages by their items",
                "inventory",
                "name a column of ids with `entity`, or remove `inventory`",
            )

    def _text_contradictions(self) -> Iterator[CrossinError]:
        used = [
            text
            for one in (self.question, self.context)
            for text in (one.values() if isinstance(one, dict) else [one])
        ]
        for name, text in self._all_templates():
            if text.count("{") != text.count("}") or ("{" in text and not PLACEHOLDER.search(text)):
                yield _wrong(f"'{text[:40]}' has a brace that names no column", name, "write {column}")
            if _DOUBLED.search(text.replace("{language}", "")):
                yield _wrong(f"'{text[:40]}' has two braces around a column", name, "write {column}")
            if name in ("item", "group", "entity") and text and not PLACEHOLDER.search(text):
                yield _wrong(
                    f"'{text[:40]}' names no column: it would be the same for all", name, "write {column}"
                )
        if self.template is not None and not any(f"{{{FILLED}}}" in text for text in used):
            yield _wrong(
                "no text uses it", FILLED, f"write {{{FILLED}}} in `question` or `context` where it belongs"
            )
        asked = self.question.values() if isinstance(self.question, dict) else [self.question]
        if not self.gap or not isinstance(self.gap, str):
            return
        if not self.gap.strip():
            yield _wrong("the mark of the gap is blank", "gap", "give the mark as it stands in the question")
        for text in asked:
            if self.gap not in text and not PLACEHOLDER.search(text):
                yield _wrong(f"'{text[:40]}' has no gap '{self.gap}'", "gap", "write the mark in `question`")

    def _all_templates(self) -> Iterator[tuple[str, str]]:
        """Every template, with its entry."""
        names = ("item", "group", "task", "context", "question", "origin", "inventory", "entity")
        for name in names:
            found = getattr(self, name)
            for text in found.values() if isinstance(found, dict) else [found]:
                yield name, text or ""
        for name in ("templates", "ids"):
            found = getattr(self.options, name, None)
            for text in found if isinstance(found, list) else []:
                yield f"options.{name}", text
        for text in self.template.fill.values() if self.template is not None else ():
            yield "template.fill", text

    def _lacking_languages(self) -> Iterator[CrossinError]:
        by_language: dict[str, Any] = {name: getattr(self, name) for name in ("question", "context")}
        for column, values in self.words.items():
            by_language |= {f"words.{column}.{value}": texts for value, texts in values.items()}
        for name, found in by_language.items():
            if isinstance(found, dict) and (lacking := sorted(self.languages.keys() - found.keys())):
                yield _wrong(
                    f"`{name}` has no text for {', '.join(lacking)}", name, "add it, or remove the language"
                )


def read_mapping(path: Path) -> DatasetMapping:
    """The mapping in a YAML file; an error names the file and the entry."""
    return validated(DatasetMapping, read_yaml(path), path, "see docs/mappings.md for the entries")
