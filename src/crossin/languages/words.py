"""The words of one language, read from `data/<code>.yaml`; to add a language is to add one such file."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from crossin.errors import CrossinError
from crossin.files import read_yaml
from crossin.languages.codes import parse_language

DATA = Path(__file__).parent / "data"
RELATIONS = ("capital", "currency", "continent", "language")
WORDINGS = 3

_Text = Annotated[str, StringConstraints(min_length=1)]


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
            f"languages must be named once each, not '{text}'", fix="for example --languages en,zh,vi,es"
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
            fix="choose among them, or add a template file as CONTRIBUTING.md tells",
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
            "holds no entries such as those of en.yaml", file=path, fix="copy en.yaml and translate it"
        )
    try:
        words = Words(code=code, **entries)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise CrossinError(first["msg"], file=path, field=place, fix="compare with en.yaml") from error
    _require(path, "prompt", words.prompt, "{question}")
    _require(path, "translate_here", words.translate_here, "{text}")
    _require(path, "answer_here", words.answer_here)
    _require(path, "translate_this", words.translate_this)
    for relation in words.facts.keys() - set(RELATIONS):
        raise CrossinError(
            "is no relation", file=path, field=f"facts.{relation}", fix=f"use {', '.join(RELATIONS)}"
        )
    for relation in RELATIONS:
        wordings = words.facts.get(relation, [])
        if len(wordings) != WORDINGS:
            raise CrossinError(
                f"has {len(wordings)} wordings, not {WORDINGS}",
                file=path,
                field=f"facts.{relation}",
                fix="add the missing wording",
            )
        for number, wording in enumerate(wordings):
            _require(path, f"facts.{relation}.{number}", wording, "{country}")
    return words


def _require(path: Path, field: str, text: str, *placeholders: str) -> None:
    """Hold `text` to its placeholders, each exactly once, and no other brace."""
    if re.findall(r"\{\w*\}|[{}]", text) != list(placeholders):
        wanted = f"{placeholders[0]} exactly once and no other" if placeholders else "no"
        raise CrossinError(
            f"must hold {wanted} placeholder", file=path, field=field, fix="compare with en.yaml"
        )
