"""The wordings: what stands around a question, made of the words that each language has for asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from crossin.core.errors import CrossinError
from crossin.languages import available, load_words
from crossin.languages.words import DATA

WORDINGS = ("question", "plain", "asked")


class Wording(NamedTuple):
    """What stands in one language before and after the question, and between that and the answer."""

    before: str
    after: str
    separator: str

    @property
    def cue(self) -> str:
        """What calls for the answer, without the question: "Answer:"."""
        return self.after.lstrip("\n")


def wordings_in(languages: Iterable[str], names: Sequence[str]) -> dict[tuple[str, str], Wording]:
    """The wordings of these names in these languages, by name and language.

    `question` is the language's own prompt ("Question: ...", and "Answer:" on the next line). `asked` also
    has a line before it that asks for an answer in this language. `plain` is the question and a line break,
    which needs no words of the language. Raises CrossinError for an unknown or repeated name, and for a
    language without a word file where a wording needs one.
    """
    for name in names:
        if name not in WORDINGS:
            raise CrossinError(
                f"unknown wording '{name}'", field="wordings", hint=f"use one of: {', '.join(WORDINGS)}"
            )
    if len(set(names)) < len(names):
        raise CrossinError(
            f"duplicate wording: {', '.join(names)}", field="wordings", hint="give each wording once"
        )
    asked = list(dict.fromkeys(languages))
    lacking = [language for language in asked if language not in available()]
    if lacking and (wordy := [name for name in names if name != "plain"]):
        raise CrossinError(
            f"no word file for {', '.join(lacking)}, which the wording '{wordy[0]}' needs",
            field="language",
            hint="use --wordings plain, or add a word file for the language (CONTRIBUTING.md)",
        )
    return {(name, language): _wording(name, language) for name in names for language in asked}


def word_files(languages: Iterable[str]) -> dict[str, Path]:
    """The existing word files of these languages, as a stage's inputs: by `words/en` etc., sorted by code."""
    files = {f"words/{language}": DATA / f"{language}.yaml" for language in sorted(set(languages))}
    return {name: path for name, path in files.items() if path.exists()}


def _wording(name: str, language: str) -> Wording:
    if name == "plain":
        return Wording("", "\n", "")
    words = load_words(language)
    before, _, after = words.prompt.partition("{question}")
    return Wording(f"{words.answer_here}\n{before}" if name == "asked" else before, after, words.separator)
