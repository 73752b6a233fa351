"""The wordings: what stands around a question, made of the words that each language has for asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from crossin.core.errors import CrossinError
from crossin.languages import available, load_words
from crossin.languages.words import DATA

# By what stands before a question, where `plain` is the question alone.
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

    `question` is the language's own prompt ("Question: …", and "Answer:" on the next line); `asked` has on a
    line before it that the answer be in this language; `plain` is the question and a line break, without any
    words, and so for every language. Raises CrossinError for a name that is none of these or is there twice,
    and for languages without a word file where a wording needs their words.
    """
    for name in names:
        if name not in WORDINGS:
            raise CrossinError(
                f"there is no wording '{name}'",
                field="wordings",
                hint=f"choose among: {', '.join(WORDINGS)}",
            )
    if len(set(names)) < len(names):
        raise CrossinError(
            f"a wording is named twice: {', '.join(names)}", field="wordings", hint="name each once"
        )
    asked = list(dict.fromkeys(languages))
    if wordy := [name for name in names if name != "plain"]:
        known = available()
        if lacking := [language for language in asked if language not in known]:
            raise CrossinError(
                f"no word file for: {', '.join(lacking)}; the wording '{wordy[0]}' is made of its words",
                field="language",
                hint="ask without words, by --wordings plain, or add a word file for the language as "
                "CONTRIBUTING.md tells",
            )
    return {(name, language): _wording(name, language) for name in names for language in asked}


def word_files(languages: Iterable[str]) -> dict[str, Path]:
    """The files that wordings in these languages are made of, where there are any, as a stage's inputs:
    by `words/en` and so on, in the order of the codes.
    """
    files = {f"words/{language}": DATA / f"{language}.yaml" for language in sorted(set(languages))}
    return {name: path for name, path in files.items() if path.exists()}


def _wording(name: str, language: str) -> Wording:
    if name == "plain":
        return Wording("", "\n", "")
    words = load_words(language)
    before, _, after = words.prompt.partition("{question}")
    return Wording(f"{words.answer_here}\n{before}" if name == "asked" else before, after, words.separator)
