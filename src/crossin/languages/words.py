"""The words of one language. Its phrases ask a question, and ask for an answer in it: `phrases/<code>.yaml`.
A template file, `data/<code>.yaml`, has questions about facts beside them. To add a language, add a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from crossin.core.errors import CrossinError
from crossin.core.files import read_yaml
from crossin.core.settings import Settings, read_settings
from crossin.languages.codes import language_name, parse_language, script_of

DATA = Path(__file__).parent / "data"
PHRASES = Path(__file__).parent / "phrases"
WORDINGS = 3
# CLDR's distance between variants of one language; from 8 on it is between languages.
_NEAR = 5


def _template(*placeholders: str) -> AfterValidator:
    """The check of a text: each of the placeholders once, in any order, and no other brace."""

    def check(text: str) -> str:
        if sorted(re.findall(r"\{\w*\}|[{}]", text)) != sorted(placeholders):
            expected = f"{', '.join(placeholders)} once and no other" if placeholders else "no"
            raise ValueError(f"expected {expected} placeholder")
        return text

    return AfterValidator(check)


_Text = Annotated[str, StringConstraints(min_length=1)]
_Plain = Annotated[_Text, _template()]
_OfOptions = Annotated[_Text, _template("{options}")]
_OfCountry = Annotated[_Text, _template("{country}")]
_Wordings = Annotated[list[_OfCountry], Field(min_length=WORDINGS, max_length=WORDINGS)]


class FactQuestions(Settings):
    """The wordings of the question for each relation of a fact."""

    capital: _Wordings
    currency: _Wordings
    continent: _Wordings
    language: _Wordings


RELATIONS = tuple(FactQuestions.model_fields)


class Suite(Settings):
    """One language's questions for the facts suite (docs/facts-suite.md), and its words for numbers."""

    neighbour: Annotated[_Text, _template("{country}", "{options}")]
    population: _OfOptions
    largest: _OfOptions
    second_largest: _OfOptions
    smallest: _OfOptions
    weekday: Annotated[_Text, _template("{weekday}", "{number}")]
    month: Annotated[_Text, _template("{month}", "{number}")]
    card: Annotated[
        _Text,
        _template("{name}", "{capital}", "{continent}", "{currency}", "{language}", "{population}"),
    ]
    inhabitants: _OfCountry
    imaginary: Annotated[list[_Plain], Field(min_length=2, max_length=2)]
    list_separator: _Plain
    to_twenty: Annotated[list[_Plain], Field(min_length=21, max_length=21)]
    tens: Annotated[list[_Plain], Field(min_length=8, max_length=8)]

    @field_validator("imaginary", "to_twenty", "tens")
    @classmethod
    def _differ(cls, texts: list[str], info: ValidationInfo) -> list[str]:
        seen = [text for before in info.data.values() if isinstance(before, list) for text in before]
        for text in texts:
            if text in seen:
                raise ValueError(f"'{text}' occurs twice")
            seen.append(text)
        return texts

    @property
    def numbers(self) -> dict[int, str]:
        """The words for 0 to 20, 30, 40 and so on to 100."""
        return dict(zip([*range(21), *range(30, 101, 10)], [*self.to_twenty, *self.tens], strict=True))


# Entries that are looked into one by one, or that the suite does not use.
_NOT_FOR_THE_SUITE = {"code", "facts", "suite", "counterfactual"}


class LanguagePhrases(Settings):
    """What stands around a question in one language, and what asks for an answer or a translation in it."""

    code: str
    name: _Text
    direction: Literal["ltr", "rtl"]
    prompt: Annotated[_Text, _template("{question}")]
    separator: str
    answer_here: _Plain
    translate_here: Annotated[_Text, _template("{text}")]
    translate_this: _Plain

    def ask(self, question: str) -> str:
        """The prompt for `question`, up to where the answer begins."""
        return self.prompt.replace("{question}", question)


class Words(LanguagePhrases):
    """One language's phrases, and its questions about facts."""

    facts: FactQuestions
    suite: Suite | None = None
    counterfactual: _OfCountry | None = None

    def fact_question(self, relation: str, wording: int, country: str) -> str:
        """The question for a relation, in one of its wordings (from 0), about `country`."""
        wordings: list[str] = getattr(self.facts, relation)
        return wordings[wording].replace("{country}", country)


def available(folder: Path = DATA) -> list[str]:
    """The codes of all languages that have a template file."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def phrases_file(code: str) -> Path | None:
    """The file with a language's phrases, which may be its template file; None where there is none. `pt-BR`
    has those of `pt`, `no` those of `nb`: the nearest language by CLDR, if it is written in the same script.
    """
    files = {path.stem: path for folder in (PHRASES, DATA) for path in folder.glob("*.yaml")}
    if code in files:
        return files[code]

    import langcodes

    near, _ = langcodes.closest_match(code, files, max_distance=_NEAR)
    return files[near] if near in files and script_of(near) == script_of(code) else None


def word_files(languages: Iterable[str]) -> dict[str, Path]:
    """The files with the words of these languages, as inputs of a stage: by `words/en` etc., by code."""
    files = {f"words/{language}": phrases_file(language) for language in sorted(set(languages))}
    return {name: path for name, path in files.items() if path}


@cache
def load_phrases(code: str) -> LanguagePhrases:
    """The phrases of the language `code`. Raises CrossinError where it has none."""
    path = phrases_file(code)
    if path is None:
        raise CrossinError(
            f"crossin has no phrases in {language_name(code)}: none that ask for an answer in it",
            hint="a recipe needs none with `tag: code`, without translation rows and without `template: "
            "question`; or add a file of seven lines (see docs/add-a-language.md)",
        )
    if path.parent == DATA:
        return load_words(path.stem)
    return read_settings(LanguagePhrases, path, {"code": code}, hint=f"compare with {PHRASES / 'ja.yaml'}")


def parse_languages(text: str, folder: Path = DATA) -> list[str]:
    """The codes in a comma-separated list of languages in any spelling, in its order.

    Raises CrossinError with the languages that exist where one is unknown or has no file.
    """
    known = available(folder)
    codes = [_known(name.strip(), known) for name in text.split(",") if name.strip()]
    if not codes or len(set(codes)) < len(codes):
        message = f"languages must be named once each, not '{text}'"
        raise CrossinError(message, hint="for example --languages en,zh,vi,es")
    return codes


def _known(name: str, known: list[str]) -> str:
    """The code of a language that has a file."""
    if name in known:
        return name
    near = ""
    try:
        code = parse_language(name)
    except CrossinError as error:
        code, message = "", f"{error.message}; these exist: {', '.join(known)}"
        near = f"{found} Else " if (found := (error.hint or "").partition(" Else ")[0]) else ""
    else:
        found = "" if code == name else f" ({code})"
        message = f"no question templates for '{name}'{found}; there are some for {', '.join(known)}"
    if code not in known:
        hint = f"{near}choose one of them, or add a template file (see CONTRIBUTING.md)"
        raise CrossinError(message, hint=hint)
    return code


@cache
def load_words(code: str, folder: Path = DATA) -> Words:
    """The words of the language `code`.

    Raises CrossinError with file and field where an entry is missing or has other placeholders or another
    number of texts than it needs.
    """
    path = folder / f"{code}.yaml"
    if not path.exists():
        parse_languages(code, folder)
    entries = read_yaml(path)
    if isinstance(entries, dict) and "code" in entries:
        raise CrossinError("the file's name is the code", file=path, field="code", hint="remove the entry")
    return read_settings(Words, path, {"code": code}, hint="compare with en.yaml")


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
        *(name for name in Words.model_fields if name not in {*_NOT_FOR_THE_SUITE, *entries}),
        *(f"facts.{relation}" for relation in RELATIONS if relation not in facts),
        *(f"suite.{name}" for name in Suite.model_fields if name not in suite),
    ]


def fill(template: str, **values: str) -> str:
    """The template with each placeholder replaced by its value."""
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], template)
