"""What all tasks of the suite are made from, and how an item is put together in every language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from crossin.core.hashing import hash64
from crossin.facts.corpus import Fact, unlike
from crossin.facts.world import Country
from crossin.items.item import Item
from crossin.languages import Words
from crossin.languages.words import Suite

CLDR = ("CLDR (Babel)", "Unicode-3.0")
CLDR_AND_GEONAMES = ("CLDR (Babel) and GeoNames", "Unicode-3.0 and CC-BY-4.0")
OWN = ("crossin", "Apache-2.0")

# By option id, then by language.
Names = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Material:
    """The languages' words and the world's facts; `skipped` counts what is left out, by reason.

    `subjects` holds the name of each country by its code and the language.
    """

    words: dict[str, Words]
    suites: dict[str, Suite]
    countries: list[Country]
    subjects: Names
    facts: list[Fact]
    skipped: Counter[str]


def choose(item: str, right: str, others: Iterable[str], names: Names) -> list[str] | None:
    """The right option and three of `others` that look unlike it and one another, in an order decided by the
    item's id alone; None where there are too few.
    """
    chosen = unlike(right, others, names)
    return chosen and sorted(chosen, key=lambda option: hash64("order", item, option))


def choice(
    material: Material,
    item: str,
    *,
    task: str,
    group: str,
    options: list[str],
    answer: str,
    names: Names,
    ask: Callable[[str, str], str],
    contexts: dict[str, str] | None = None,
    source: tuple[str, str],
) -> list[Item]:
    """One multiple-choice item in every language.

    `ask` makes the question from the language and the list of its options; `contexts` holds what is read
    first, by language; `source` is the source and its licence.
    """
    items = []
    for language, suite in material.suites.items():
        shown = [names[option][language] for option in options]
        items.append(
            Item(
                item=item,
                group=group,
                task=task,
                language=language,
                context=contexts[language] if contexts else "",
                question=ask(language, suite.list_separator.join(shown)),
                options=shown,
                option_ids=options,
                answer=answer,
                source=source[0],
                licence=source[1],
            )
        )
    return items


def free_text(
    material: Material,
    item: str,
    *,
    task: str,
    group: str,
    ask: Callable[[str], str],
    references: dict[str, str],
) -> list[Item]:
    """One item that is answered in free text, in every language; `references` holds the right answers."""
    return [
        Item(
            item=item,
            group=group,
            task=task,
            language=language,
            context="",
            question=ask(language),
            options=[],
            option_ids=[],
            answer=references[language],
            source=CLDR_AND_GEONAMES[0],
            licence=CLDR_AND_GEONAMES[1],
        )
        for language in material.words
    ]


def listable(material: Material, task: str) -> list[Country]:
    """The countries that have a name in every language, none of which would break a list of options ("R.A.S.
    Hong Kong, China"); the others are counted.
    """
    countries = []
    for country in material.countries:
        names = material.subjects.get(country.code)
        if names is None:
            continue
        if any(
            suite.list_separator.strip() in names[language] for language, suite in material.suites.items()
        ):
            material.skipped[f"{task}: a name holds what separates a list"] += 1
        else:
            countries.append(country)
    return countries


def named(
    material: Material, task: str, values: Iterable[int], name: Callable[[int, str], str | None]
) -> Names:
    """The names of `values` (days, months) by language; one that lacks a name in some language is left out of
    all, and counted.
    """
    names: Names = {}
    for value in values:
        by_language = {language: name(value, language) for language in material.words}
        missing = [language for language, text in by_language.items() if text is None]
        if missing:
            material.skipped[f"{task}: no name in {missing[0]}"] += 1
        else:
            names[str(value)] = {language: text for language, text in by_language.items() if text}
    return names
