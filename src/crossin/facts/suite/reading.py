"""Reading: the cards of two imaginary countries, whose entries nobody can know beforehand."""

from __future__ import annotations

from crossin.core.hashing import hash64
from crossin.facts.corpus import Names, unlike
from crossin.facts.names import number_text
from crossin.facts.suite.material import Material, choice, drawn_options
from crossin.facts.world import FactReason
from crossin.items.item import Item
from crossin.languages.words import RELATIONS, WORDINGS, fill

_CARDS = 30
_ENTRIES = (*RELATIONS, "population")
# From 1.1 to 99.9 million people, in steps of 100,000.
_POPULATIONS = range(1_100_000, 100_000_000, 100_000)


def profiles(material: Material) -> list[Item]:
    """Cards with five entries for each of two imaginary countries, and a question on each entry.

    The entries are real names, each drawn separately, so that no card is true of any country. The other
    country's entry is always among the options: finding an option in the text is not enough.
    """
    names: dict[str, Names] = {
        relation: {fact.right: fact.answers for fact in material.facts if fact.relation == relation}
        for relation in RELATIONS
    }
    names["population"] = {
        str(number): {language: number_text(number, language) for language in material.words}
        for number in _POPULATIONS
    }
    return [item for card in range(_CARDS) for item in _profile(material, f"profile:{card:02}", names)]


def _profile(material: Material, card: str, names: dict[str, Names]) -> list[Item]:
    """The five questions on one card: of each entry's four options, the first is on the first country's card
    and the second on the second's.
    """
    options: dict[str, list[str]] = {}
    for entry in _ENTRIES:
        first, *others = sorted(names[entry], key=lambda value: hash64("entry", card, entry, value))
        four = unlike(first, others, names[entry])
        if not four:
            material.skipped[FactReason.FEW_NAMES.about("profile")] += len(_ENTRIES)
            return []
        options[entry] = four
    contexts = {}
    for language, suite in material.suites.items():
        cards = []
        for place, name in enumerate(suite.imaginary):
            entries = {entry: names[entry][options[entry][place]][language] for entry in _ENTRIES}
            cards.append(fill(suite.card, name=name, **entries))
        contexts[language] = "\n\n".join(cards)
    items = []
    for entry in _ENTRIES:
        item = f"{card}:{entry}"
        country = hash64("country", item) % 2
        wording = hash64("wording", item) % WORDINGS
        questions = {
            language: fill(suite.inhabitants, country=suite.imaginary[country])
            if entry == "population"
            else material.words[language].fact_question(entry, wording, suite.imaginary[country])
            for language, suite in material.suites.items()
        }
        right = options[entry][country]
        shown = drawn_options(material, item, right, options[entry], names[entry])
        items += choice(material, item, card, right, shown, names[entry], questions, contexts)
    return items
