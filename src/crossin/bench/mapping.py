"""A mapping: a small YAML file that says how a dataset becomes items (docs/bench.md).

Its texts are templates: `{column}` stands for a column's value in a row, and `{language}` for what the
dataset calls the language, so that `{question_{language}}` is another column in each language.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

from crossin.core.files import read_yaml
from crossin.core.settings import Settings, as_value_error, validated
from crossin.languages import parse_language

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


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


def _templates(value: Any) -> Any:
    return {"templates": value} if isinstance(value, list) else value


ByLanguage = Annotated[dict[str, str], BeforeValidator(_by_code)]
# One template, or one for each language.
Template = Annotated[str | dict[str, str], PlainValidator(_template)]


class OptionsSource(Settings):
    """Where options come from: a template each, or one `column` that holds a list, an object with an option
    per key, or with `separator` a text.
    """

    templates: list[str] | None = Field(default=None, min_length=2)
    column: str = ""
    separator: str | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _one_of(self) -> OptionsSource:
        if (self.templates is None) == (not self.column):
            raise ValueError("expected a list of templates, or `column`")
        return self


class AnswerColumn(Settings):
    """The column that holds the answer, and how: `letter` (A is the first option), `index` (0 is), `number`
    (1 is), or `text` (the option's, or the reference of a free-text item).

    A text of several right answers, separated by `separator`, leaves the item out.
    """

    column: str
    form: Literal["letter", "index", "number", "text"]
    separator: str | None = Field(default=None, min_length=1)


class DatasetMapping(Settings):
    """How a dataset becomes items.

    dataset, revision: its place on the hub. licence, about, items: for people; `items` is the number per
    language.
    files: where each language's rows are, from the dataset's folder: patterns with `{language}` and
    `{split}`, of which the first that matches counts; the hub's usual names are tried after them.
    columns: the names of the columns, for a .csv or .tsv without a header.
    languages: each language's name in the dataset. language_column: where one table holds all of them.
    join: rows are the same item by `id` (the template `item`), or by `position` in files of equal length.
    item, group, task: templates, filled from the first language (English where it is chosen). A group is
    what a bootstrap resamples by, such as a paragraph; the item itself where not given.
    words: the values of a column in each language, for questions that are identified by a key.
    options: a template each, or one column; none for free-text items.
    shuffle: show the options in an order drawn for each item, the same in every language, for datasets whose
    right option is always at the same place.
    """

    about: str = ""
    dataset: str | None = None
    revision: str = "main"
    licence: str
    items: int | None = Field(default=None, gt=0)
    split: str = "test"
    files: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    languages: ByLanguage = Field(min_length=1)
    language_column: str | None = None
    join: Literal["id", "position"]
    item: str | None = None
    group: str | None = None
    task: str
    context: Template = ""
    question: Template
    words: dict[str, dict[str, ByLanguage]] = Field(default_factory=dict)
    options: Annotated[OptionsSource | None, BeforeValidator(_templates)] = None
    shuffle: bool = False
    answer: AnswerColumn

    @model_validator(mode="after")
    def _consistent(self) -> DatasetMapping:
        if (self.join == "id") != (self.item is not None):
            raise ValueError("`join: id` and the template `item` go together")
        if self.options is None and self.answer.form != "text":
            raise ValueError("without `options` the answer's `form` must be text")
        by_language = {name: getattr(self, name) for name in ("question", "context")}
        for column, values in self.words.items():
            by_language |= {f"words.{column}.{value}": texts for value, texts in values.items()}
        for name, found in by_language.items():
            if isinstance(found, dict) and (lacking := sorted(self.languages.keys() - found.keys())):
                raise ValueError(f"`{name}` has no text for {', '.join(lacking)}")
        return self


def read_mapping(path: Path) -> DatasetMapping:
    """The mapping in a YAML file; an error names the file and the entry."""
    return validated(DatasetMapping, read_yaml(path), path, "see docs/bench.md for the entries")
