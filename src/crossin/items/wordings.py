"""The wordings: what stands around a question, made of the words that each language has for asking."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crossin.core.errors import CrossinError
from crossin.languages import load_phrases
from crossin.languages.words import phrases_file

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
    language without phrases where a wording needs them.
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
    lacking = [language for language in asked if phrases_file(language) is None]
    if lacking and (wordy := [name for name in names if name != "plain"]):
        raise CrossinError(
            f"crossin has no phrases in {', '.join(lacking)}, which the wording '{wordy[0]}' needs",
            field="language",
            hint="use --wordings plain, or add a file of seven lines (see docs/add-a-language.md)",
        )
    return {(name, language): _wording(name, language) for name in names for language in asked}


def _wording(name: str, language: str) -> Wording:
    if name == "plain":
        return Wording("", "\n", "")
    phrases = load_phrases(language)
    before, _, after = phrases.prompt.partition("{question}")
    return Wording(
        f"{phrases.answer_here}\n{before}" if name == "asked" else before, after, phrases.separator
    )
