"""What all tasks of the suite are built from, and how an item is put together in every language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crossin.core.hashing import hash64
from crossin.facts.bench import CLDR_AND_GEONAMES
from crossin.facts.corpus import Fact, Names, unlike
from crossin.facts.world import Country, FactReason
from crossin.items.item import Item
from crossin.languages import Words
from crossin.languages.words import Suite

# The skill that each task needs. An item's id begins with its task.
SKILLS = {
    **dict.fromkeys(("capital", "currency", "continent", "language", "neighbour"), "knowledge"),
    **dict.fromkeys(("weekday", "month", "population", "number"), "reasoning"),
    **dict.fromkeys(("profile",), "reading"),
    **dict.fromkeys(("name capital", "translate name"), "generation"),
}
_CLDR = ("CLDR (Babel)", "Unicode-3.0")
# The source and licence of tasks that do not use both CLDR and GeoNames.
_ORIGINS = {"weekday": _CLDR, "month": _CLDR, "profile": _CLDR, "number": ("crossin", "Apache-2.0")}
# Stands for the list of options in a question.
LIST = "{options}"


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


def drawn_options(
    material: Material, item: str, right: str, others: Iterable[str], names: Names
) -> list[str]:
    """The option `right` and three of `others` that look unlike it and one another, in an order set by the
    item's id alone. Empty, and counted, where there are too few. names: the options' names.
    """
    options = unlike(right, others, names)
    if not options:
        material.skipped[FactReason.FEW_OPTIONS.about(_task(item))] += 1
    return sorted(options, key=lambda option: hash64("order", item, option))


def choice(
    material: Material,
    item: str,
    group: str,
    right: str,
    options: list[str],
    names: Names,
    questions: Mapping[str, str],
    contexts: Mapping[str, str] | None = None,
) -> list[Item]:
    """One multiple-choice item in every language, with `options` in this order; none without options.

    questions: by language; `{options}` stands for the list of options. contexts: what is read first.
    """
    task, items = _task(item), []
    for language, suite in material.suites.items() if options else ():
        shown = [names[option][language] for option in options]
        question = questions[language].replace(LIST, suite.list_separator.join(shown))
        context = contexts[language] if contexts else ""
        origin = _ORIGINS.get(task, CLDR_AND_GEONAMES)
        items.append(Item(item, group, task, language, context, question, shown, options, right, *origin))
    return items


def free_text(
    item: str, group: str, references: Mapping[str, str], questions: Mapping[str, str]
) -> list[Item]:
    """One free-text item in every language; `references` holds the right answers."""
    return [
        Item(item, group, _task(item), language, "", text, [], [], references[language], *CLDR_AND_GEONAMES)
        for language, text in questions.items()
    ]


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
        if any(suite.list_separator.strip() in names[code] for code, suite in material.suites.items()):
            material.skipped[FactReason.LIST_SEPARATOR.about(task)] += 1
        else:
            countries.append(country)
    return countries
