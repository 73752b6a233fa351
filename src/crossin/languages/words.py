"""The words of one language, read from `data/<code>.yaml`. To add a language, add such a file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.core.settings import Settings, validated
from crossin.languages.codes import parse_language

DATA = Path(__file__).parent / "data"
RELATIONS = ("capital", "currency", "continent", "language")
WORDINGS = 3

_Text = Annotated[str, StringConstraints(min_length=1)]
# The placeholders of each template, and of each template of the facts suite.
_TEMPLATES = {
    "prompt": ("{question}",),
    "translate_here": ("{text}",),
    "answer_here": (),
    "translate_this": (),
}
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


class Suite(Settings):
    """One language's questions for the facts suite (docs/facts-suite.md), and its words for numbers."""

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


class Words(Settings):
    """One language's templates for questions, answers and translations."""

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
        """The prompt for `question`, up to where the answer begins."""
        return self.prompt.replace("{question}", question)

    def fact_question(self, relation: str, wording: int, country: str) -> str:
        """The question for a relation, in one of its wordings (from 0), about `country`."""
        return self.facts[relation][wording].replace("{country}", country)


def available(folder: Path = DATA) -> list[str]:
    """The codes of all languages that have a file."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def parse_languages(text: str, folder: Path = DATA) -> list[str]:
    """The codes in a comma-separated list of languages in any spelling, in its order.

    Raises CrossinError with the languages that exist where one is unknown or has no file.
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
            hint="choose one of them, or add a template file (see CONTRIBUTING.md)",
        )
    return code


@cache
def load_words(code: str, folder: Path = DATA) -> Words:
    """The words of the language `code`.

    Raises CrossinError with file and field where an entry is missing, lacks a placeholder, or a relation does
    not have exactly three wordings.
    """
    path = folder / f"{code}.yaml"
    if not path.exists():
        parse_languages(code, folder)
    entries = read_yaml(path)
    if not isinstance(entries, dict) or not all(isinstance(key, str) and key != "code" for key in entries):
        raise CrossinError(
            "expected entries like those of en.yaml", file=path, hint="copy en.yaml and translate it"
        )
    words = validated(Words, {"code": code, **entries}, path, "compare with en.yaml")
    for name, placeholders in _TEMPLATES.items():
        _require(path, name, getattr(words, name), *placeholders)
    for relation in (*RELATIONS, *words.facts):
        if relation not in RELATIONS:
            raise CrossinError(
                "not a relation", file=path, field=f"facts.{relation}", hint=f"use {', '.join(RELATIONS)}"
            )
        wordings = words.facts.get(relation, [])
        if len(wordings) != WORDINGS:
            raise CrossinError(
                f"expected {WORDINGS} wordings, found {len(wordings)}",
                file=path,
                field=f"facts.{relation}",
                hint="compare with en.yaml",
            )
        for number, wording in enumerate(wordings):
            _require(path, f"facts.{relation}.{number}", wording, "{country}")
    if words.suite:
        _check_suite(path, words.suite)
    return words


def lacking(code: str, folder: Path = DATA) -> list[str]:
    """The entries that the file of the language `code` lacks for the facts suite, such as `suite.neighbour`;
    "no file" where there is none.
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
    """The template with each placeholder replaced by its value."""
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
                    f"'{text}' occurs twice", file=path, field=f"suite.{field}", hint="compare with en.yaml"
                )
            seen.add(text)


def _require(path: Path, field: str, text: str, *placeholders: str) -> None:
    """Require the placeholders in `text`, each exactly once in any order, and no other brace."""
    if sorted(re.findall(r"\{\w*\}|[{}]", text)) != sorted(placeholders):
        expected = f"{', '.join(placeholders)} once and no other" if placeholders else "no"
        raise CrossinError(
            f"expected {expected} placeholder", file=path, field=field, hint="compare with en.yaml"
        )
