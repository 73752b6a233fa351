"""The words of one language, read from `data/<code>.yaml`; to add a language is to add one such file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.languages.codes import parse_language

DATA = Path(__file__).parent / "data"
RELATIONS = ("capital", "currency", "continent", "language")
WORDINGS = 3

_Text = Annotated[str, StringConstraints(min_length=1)]
# What each template of the facts suite holds.
_SUITE = {
    "neighbour": ("{country}", "{options}"),
    "population": ("{options}",),
    "largest": ("{options}",),
    "second_largest": ("{options}",),
    "smallest": ("{options}",),
    "weekday": ("{weekday}", "{number}"),
    "month": ("{month}", "{number}"),
    "card": ("{name}", "{capital}", "{continent}", "{currency}", "{language}", "{population}"),
    "inhabitants": ("{country}",),
    "list_separator": (),
}


class Suite(BaseModel):
    """How one language asks the facts suite (docs/facts-suite.md), and its words for numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    neighbour: _Text
    population: _Text
    largest: _Text
    second_largest: _Text
    smallest: _Text
    weekday: _Text
    month: _Text
    card: _Text
    inhabitants: _Text
    imaginary: Annotated[list[_Text], Field(min_length=2, max_length=2)]
    list_separator: _Text
    to_twenty: Annotated[list[_Text], Field(min_length=21, max_length=21)]
    tens: Annotated[list[_Text], Field(min_length=8, max_length=8)]

    @property
    def numbers(self) -> dict[int, str]:
        """The words for 0 to 20, 30, 40 and so on to 100."""
        return dict(zip([*range(21), *range(30, 101, 10)], [*self.to_twenty, *self.tens], strict=True))


class Words(BaseModel):
    """How one language asks and answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    name: _Text
    direction: Literal["ltr", "rtl"]
    prompt: _Text
    separator: str
    answer_here: _Text
    translate_here: _Text
    translate_this: _Text
    facts: dict[str, list[_Text]]
    suite: Suite | None = None

    def ask(self, question: str) -> str:
        """The prompt that asks `question`, up to where the answer begins."""
        return self.prompt.replace("{question}", question)

    def fact_question(self, relation: str, wording: int, country: str) -> str:
        """The question for a relation, in one of its wordings (from 0), about `country`."""
        return self.facts[relation][wording].replace("{country}", country)


def available(folder: Path = DATA) -> list[str]:
    """The codes of all languages that have a file."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def parse_languages(text: str, folder: Path = DATA) -> list[str]:
    """The codes in a comma-separated list of languages in any spelling, in its order.

    Raises CrossinError that says which exist where one is unknown or has no file.
    """
    known = available(folder)
    codes = [_known(name.strip(), known) for name in text.split(",") if name.strip()]
    if not codes or len(set(codes)) < len(codes):
        raise CrossinError(
            f"languages must be named once each, not '{text}'", hint="for example --languages en,zh,vi,es"
        )
    return codes


def _known(name: str, known: list[str]) -> str:
    """The code of a language that has a file."""
    if name in known:
        return name
    try:
        code = parse_language(name)
    except CrossinError as error:
        near, code = error.message.partition("; ")[2], ""
    else:
        near = f"'{name}' is {code}" if code != name else ""
    if code not in known:
        raise CrossinError(
            f"unknown language '{name}'; these exist: {', '.join(known)}" + (f"; {near}" if near else ""),
            hint="choose among them, or add a template file as CONTRIBUTING.md tells",
        )
    return code


@cache
def load_words(code: str, folder: Path = DATA) -> Words:
    """The words of the language `code`.

    Raises CrossinError that names the file and the field where an entry is missing, has no placeholder, or a
    relation has not exactly three wordings.
    """
    path = folder / f"{code}.yaml"
    if not path.exists():
        parse_languages(code, folder)
    entries = read_yaml(path)
    if not isinstance(entries, dict) or not all(isinstance(key, str) and key != "code" for key in entries):
        raise CrossinError(
            "holds no entries such as those of en.yaml", file=path, hint="copy en.yaml and translate it"
        )
    try:
        words = Words(code=code, **entries)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CrossinError(first["msg"], file=path, field=place, hint="compare with en.yaml") from error
    _require(path, "prompt", words.prompt, "{question}")
    _require(path, "translate_here", words.translate_here, "{text}")
    _require(path, "answer_here", words.answer_here)
    _require(path, "translate_this", words.translate_this)
    for relation in words.facts.keys() - set(RELATIONS):
        raise CrossinError(
            "is no relation", file=path, field=f"facts.{relation}", hint=f"use {', '.join(RELATIONS)}"
        )
    for relation in RELATIONS:
        wordings = words.facts.get(relation, [])
        if len(wordings) != WORDINGS:
            raise CrossinError(
                f"has {len(wordings)} wordings, not {WORDINGS}",
                file=path,
                field=f"facts.{relation}",
                hint="add the missing wording",
            )
        for number, wording in enumerate(wordings):
            _require(path, f"facts.{relation}.{number}", wording, "{country}")
    if words.suite:
        _check_suite(path, words.suite)
    return words


def lacking(code: str, folder: Path = DATA) -> list[str]:
    """The entries that the file of the language `code` lacks for the facts suite, such as `suite.neighbour`;
    of a language without a file, "no file".
    """
    path = folder / f"{code}.yaml"
    if not path.exists():
        return ["no file"]
    entries = read_yaml(path)
    entries = entries if isinstance(entries, dict) else {}
    facts, suite = entries.get("facts") or {}, entries.get("suite") or {}
    return [
        *(name for name in Words.model_fields if name not in {"code", "facts", "suite", *entries}),
        *(f"facts.{relation}" for relation in RELATIONS if relation not in facts),
        *(f"suite.{name}" for name in Suite.model_fields if name not in suite),
    ]


def fill(template: str, **values: str) -> str:
    """The template with each placeholder's value in its place, as it stands."""
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template)


def _check_suite(path: Path, suite: Suite) -> None:
    for name, placeholders in _SUITE.items():
        _require(path, f"suite.{name}", getattr(suite, name), *placeholders)
    seen: set[str] = set()
    for field in ("imaginary", "to_twenty", "tens"):
        for text in getattr(suite, field):
            _require(path, f"suite.{field}", text)
            if text in seen:
                raise CrossinError(
                    f"'{text}' stands twice", file=path, field=f"suite.{field}", hint="compare with en.yaml"
                )
            seen.add(text)


def _require(path: Path, field: str, text: str, *placeholders: str) -> None:
    """Hold `text` to its placeholders, each exactly once in any order, and no other brace."""
    if sorted(re.findall(r"\{\w*\}|[{}]", text)) != sorted(placeholders):
        wanted = f"{', '.join(placeholders)} exactly once and no other" if placeholders else "no"
        raise CrossinError(
            f"must hold {wanted} placeholder", file=path, field=field, hint="compare with en.yaml"
        )
