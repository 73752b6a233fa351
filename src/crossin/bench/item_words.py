"""Items by their words, as they are compared with others; and the names of their subjects.

The subject of an item is its group, where that is a name: where it occurs in the question.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from crossin.corpus.contamination import Phrases
from crossin.items.item import Item
from crossin.languages.segmentation import units

# Characters of a name: shorter ones are in many texts by chance.
_SHORT_NAME = 3


class ItemWords(NamedTuple):
    """An item in a language, by its words: texts are folded words, with a space between any two."""

    item: Item
    text: str  # context and question
    options: frozenset[str]
    answers: frozenset[str]
    name: str  # the subject's, '' where the group is not a name
    named: frozenset[str]  # the languages in which it is the name

    @property
    def language(self) -> str:
        """The item's language."""
        return self.item.language


def words_of_items(items: Sequence[Item]) -> list[ItemWords]:
    """The items as they are compared."""
    # Options are the same in many items.
    folded = cache(lambda text: " ".join(units(text)))
    questions = [folded(item.question) for item in items]
    named: dict[str, set[str]] = defaultdict(set)
    for item, question in zip(items, questions, strict=True):
        name = folded(item.group)
        # As it is spelt: the country DE is not named by a Spanish 'de'.
        spelt = any(letter.isalpha() for letter in name) and _as_spelt(item.group) in _as_spelt(item.question)
        if spelt and f" {name} " in f" {question} ":
            named[item.item].add(item.language)
    return [
        ItemWords(
            item=item,
            text=" ".join(filter(None, [folded(item.context), question])),
            options=frozenset(map(folded, item.options)),
            answers=frozenset(filter(None, map(folded, item.right_texts))),
            name=folded(item.group) if item.item in named else "",
            named=frozenset(named.get(item.item, ())),
        )
        for item, question in zip(items, questions, strict=True)
    ]


class SubjectNames:
    """The names of subjects, to be found in other questions."""

    def __init__(self, versions: Iterable[ItemWords]) -> None:
        # By language, and under None of any language.
        self._spelt: dict[str | None, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for version in versions:
            if len(version.name) >= _SHORT_NAME or not version.name.isascii():
                for language in (*version.named, None):
                    self._spelt[language][version.name].add(_as_spelt(version.item.group))
        self._phrases = {language: Phrases(names) for language, names in self._spelt.items()}

    def mentioned(self, item: Item) -> list[str]:
        """The names of its language that an item's question mentions."""
        found = self.found(item.language, item.question, units(item.question))
        return list(dict.fromkeys(name for _, name in found))

    def found(self, language: str | None, text: str, parts: Sequence[str]) -> list[tuple[int, str]]:
        """The names in a text as they are spelt (a novel called It is not in each 'it'), each with the number
        of its first word; without those within a longer one.
        """
        plain, names = _as_spelt(text), self._spelt.get(language, {})
        phrases = self._phrases[language].within(parts) if names else []
        found: list[tuple[int, str]] = []
        end = 0
        for place, name in sorted(phrases, key=lambda one: (one[0], -len(one[1]))):
            if place >= end and any(spelt in plain for spelt in names[name]):
                found.append((place, name))
                end = place + name.count(" ") + 1
        return found


def _as_spelt(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())
