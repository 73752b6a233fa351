"""What all tasks of the suite are built from, and how an item is put together in every language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from crossin.core.hashing import hash64
from crossin.facts.bench import CLDR_AND_GEONAMES
from crossin.facts.corpus import Fact, Names, in_all_languages, unlike
from crossin.facts.reasons import FactReason
from crossin.facts.world import Country
from crossin.items.item import Item
from crossin.languages import Words
from crossin.languages.words import Suite

# The skill that each task needs. An item's id begins with its task.
SKILLS = {
    "capital": "knowledge",
    "currency": "knowledge",
    "continent": "knowledge",
    "language": "knowledge",
    "neighbour": "knowledge",
    "weekday": "reasoning",
    "month": "reasoning",
    "population": "reasoning",
    "number": "reasoning",
    "profile": "reading",
    "name capital": "generation",
    "translate name": "generation",
}
_CLDR = ("CLDR (Babel)", "Unicode-3.0")
# The source and licence of tasks that do not use both CLDR and GeoNames.
_SOURCES = {"weekday": _CLDR, "month": _CLDR, "profile": _CLDR, "number": ("crossin", "Apache-2.0")}

# Makes a question from the language and the list of its options.
Ask = Callable[[str, str], str]


@dataclass(frozen=True)
class Material:
    """The languages' words and the world's facts; `skipped` counts what is left out, by reason code.

    `subjects` holds the name of each country by its code and the language.
    """

    words: dict[str, Words]
    suites: dict[str, Suite]
    countries: list[Country]
    subjects: Names
    facts: list[Fact]
    skipped: Counter[str]


def choice(
    material: Material,
    item: str,
    group: str,
    right: str,
    others: Iterable[str],
    names: Names,
    ask: Ask,
    contexts: Mapping[str, str] | None = None,
) -> list[Item]:
    """One multiple-choice item in every language: the option `right`, and three of `others` that look unlike
    it and one another, in an order set by the item's id alone. None, and counted, where there are too few.

    names: the options' names. contexts: what is read first, by language.
    """
    options = unlike(right, others, names)
    if options is None:
        material.skipped[FactReason.FEW_OPTIONS.about(_task(item))] += 1
        return []
    options.sort(key=lambda option: hash64("order", item, option))
    return choice_of(material, item, group, options, right, names, ask, contexts)


def choice_of(
    material: Material,
    item: str,
    group: str,
    options: list[str],
    right: str,
    names: Names,
    ask: Ask,
    contexts: Mapping[str, str] | None = None,
) -> list[Item]:
    """One multiple-choice item in every language, with these `options` in this order."""
    items = []
    for language, suite in material.suites.items():
        shown = [names[option][language] for option in options]
        question = ask(language, suite.list_separator.join(shown))
        context = contexts[language] if contexts else ""
        items.append(_item(item, group, language, question, right, shown, options, context))
    return items


def free_text(
    material: Material, item: str, group: str, references: Mapping[str, str], ask: Callable[[str], str]
) -> list[Item]:
    """One free-text item in every language; `references` holds the right answers."""
    return [
        _item(item, group, language, ask(language), references[language], [], [])
        for language in material.words
    ]


def _item(
    item: str,
    group: str,
    language: str,
    question: str,
    answer: str,
    options: list[str],
    option_ids: list[str],
    context: str = "",
) -> Item:
    source, licence = _SOURCES.get(_task(item), CLDR_AND_GEONAMES)
    return Item(
        item, group, _task(item), language, context, question, options, option_ids, answer, source, licence
    )


def _task(item: str) -> str:
    return item.partition(":")[0]


def listable(material: Material, task: str) -> list[Country]:
    """The countries whose names can stand in a list of options in every language. Others are counted, such as
    "R.A.S. Hong Kong, China", which contains the separator.
    """
    countries = []
    for country in material.countries:
        names = material.subjects.get(country.code)
        if names is None:
            continue
        if any(
            suite.list_separator.strip() in names[language] for language, suite in material.suites.items()
        ):
            material.skipped[FactReason.LIST_SEPARATOR.about(task)] += 1
        else:
            countries.append(country)
    return countries


def named(
    material: Material, task: str, values: Iterable[int], name: Callable[[int, str], str | None]
) -> dict[str, dict[str, str]]:
    """The names of `values` (days, months); a value without a name in one language is left out of all."""
    names = {}
    for value in values:
        by_language = {language: name(value, language) for language in material.words}
        if found := in_all_languages(task, by_language, material.skipped):
            names[str(value)] = found
    return names
