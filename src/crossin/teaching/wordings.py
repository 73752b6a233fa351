"""The other wordings of a question, where the words of the languages have any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from crossin.items.item import Item
from crossin.languages import available, load_words
from crossin.languages.words import RELATIONS, WORDINGS


class Worded(NamedTuple):
    """A question about a fact: the number of its wording, and what it is about, by language."""

    wording: int
    subjects: dict[str, str]

    def others(self, relation: str) -> dict[int, dict[str, str]]:
        """The question in each other wording, by language."""
        return {
            wording: {
                language: load_words(language).fact_question(relation, wording, subject)
                for language, subject in self.subjects.items()
            }
            for wording in range(WORDINGS)
            if wording != self.wording
        }


def worded(items: Mapping[str, Item]) -> Worded | None:
    """The wording of an item, by language, that asks for a fact as `languages/data` does; None for any other,
    and where languages ask in different ones.
    """
    relation = next(iter(items.values())).task
    if relation not in RELATIONS or not set(items) <= set(available()):
        return None
    found = {language: _matches(relation, language, item.question) for language, item in items.items()}
    shared = set.intersection(*(set(one) for one in found.values()))
    if len(shared) != 1:
        return None
    [wording] = shared
    return Worded(wording, {language: one[wording] for language, one in found.items()})


def _matches(relation: str, language: str, question: str) -> dict[int, str]:
    """The subject of a question by the number of each wording that it may be of."""
    found = ((number, one.fullmatch(question)) for number, one in enumerate(_patterns(relation, language)))
    return {number: match[1] for number, match in found if match}


@cache
def _patterns(relation: str, language: str) -> list[re.Pattern[str]]:
    mark = "\0"
    asked = [load_words(language).fact_question(relation, number, mark) for number in range(WORDINGS)]
    return [re.compile(re.escape(text).replace(re.escape(mark), "(.+)")) for text in asked]
