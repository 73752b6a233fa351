"""A mapping: a small YAML file that says how someone's dataset becomes items (docs/bench.md).

Its texts are templates: `{column}` stands for a column's value in a row, `{language}` for what the dataset
calls the language, so that `{question_{language}}` is a column of its own in each language.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.languages import parse_language

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def _spelled(value: Any) -> Any:
    """Languages as a list of the dataset's own names, or by name in any spelling; as codes either way."""
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(name, name) for name in value]
    else:
        return value
    codes: dict[str, Any] = {}
    for name, inside in pairs:
        try:
            code = parse_language(name)
        except CrossinError as error:
            raise ValueError(f"{error.message} ({error.hint})") from error
        if code in codes:
            raise ValueError(f"names {code} twice, in different spellings")
        codes[code] = inside
    return codes


ByLanguage = Annotated[dict[str, str], BeforeValidator(_spelled)]
# One template, or one for each language.
Template = str | ByLanguage


class OptionsColumn(BaseModel):
    """Options in one column: a list, an object with one option a key, or with `separator` a text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    separator: str | None = Field(default=None, min_length=1)


class Answer(BaseModel):
    """The column that holds the answer, and how: `letter` (A is the first option), `index` (0 is), `number`
    (1 is), or `text` (the option's, or the reference of a free-text item).

    A text of several right answers, put apart by `separator`, leaves the item out.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    form: Literal["letter", "index", "number", "text"]
    separator: str | None = Field(default=None, min_length=1)


class Mapping(BaseModel):
    """How a dataset becomes items.

    dataset, revision: where it is on the hub. licence, about, items: for people; `items` is how many a
    language has.
    files: where each language's rows are, from the dataset's folder: patterns with `{language}` and
    `{split}`, the first that finds files counts, and the hub's usual names are tried after them.
    columns: what the columns are called, for a .csv or .tsv without a line of names.
    languages: each language's name in the dataset. language_column: where one table holds all of them.
    join: rows are the same item by `id` (the template `item`), or by `position` in files of equal length.
    item, group, task: templates, filled from the first language (English where it is chosen). A group is
    what a bootstrap resamples by, such as a paragraph; the item itself where not given.
    words: what the values of a column are in each language, for questions that are told by a key.
    options: a template each, or one column; none for items answered in free text.
    shuffle: show the options in an order drawn for each item, the same in every language, for datasets that
    always have the right one at the same place.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    about: str = ""
    dataset: str | None = None
    revision: str = "main"
    licence: str
    items: int | None = Field(default=None, gt=0)
    split: str = "test"
    files: list[str] = []
    columns: list[str] = []
    languages: ByLanguage = Field(min_length=1)
    language_column: str | None = None
    join: Literal["id", "position"]
    item: str | None = None
    group: str | None = None
    task: str
    context: Template = ""
    question: Template
    words: dict[str, dict[str, ByLanguage]] = {}
    options: Annotated[list[str], Field(min_length=2)] | OptionsColumn | None = None
    shuffle: bool = False
    answer: Answer

    @model_validator(mode="after")
    def _consistent(self) -> Mapping:
        if (self.join == "id") != (self.item is not None):
            raise ValueError("`join: id` and the template `item` go together")
        if self.options is None and self.answer.form != "text":
            raise ValueError("without `options` the answer's `form` is text")
        for name in ("question", "context"):
            template = getattr(self, name)
            if isinstance(template, dict) and (lacking := sorted(self.languages.keys() - template.keys())):
                raise ValueError(f"`{name}` has no template for {', '.join(lacking)}")
        for column, values in self.words.items():
            for value, texts in values.items():
                if lacking := sorted(self.languages.keys() - texts.keys()):
                    raise ValueError(f"`words.{column}.{value}` has none for {', '.join(lacking)}")
        return self


def read_mapping(path: Path) -> Mapping:
    """The mapping in a YAML file; a wrong entry is an error that names it."""
    try:
        return Mapping.model_validate(read_yaml(path))
    except ValidationError as error:
        raise _explained(error, path) from error


def _explained(error: ValidationError, path: Path) -> CrossinError:
    """The first fault in words; an unknown key with the nearest valid one."""
    # Of a union's faults, one for each member that was tried, the one that got furthest is meant.
    first = max(error.errors(), key=lambda one: (one["type"] == "extra_forbidden", len(one["loc"])))
    # They also name the member.
    place = [
        str(part)
        for number, part in enumerate(first["loc"])
        if not number or ("[" not in str(part) and part not in ("str", "OptionsColumn"))
    ]
    message, hint = first["msg"].removeprefix("Value error, "), "see docs/bench.md for the entries"
    if first["type"] == "extra_forbidden":
        models: dict[str, Any] = {"answer": Answer, "options": OptionsColumn}
        valid = sorted(models.get(place[0], Mapping).model_fields)
        near = difflib.get_close_matches(place[-1], valid, n=1, cutoff=0.5)
        message = f"there is no key '{place[-1]}' here"
        hint = f"did you mean '{near[0]}'?" if near else f"use one of: {', '.join(valid)}"
    return CrossinError(message, file=path, field=".".join(place) or None, hint=hint)
