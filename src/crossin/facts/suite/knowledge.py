"""Knowledge: the relations of the facts corpus, and which countries border each other."""

from __future__ import annotations

import re

from crossin.facts.bench import drawn_wording
from crossin.facts.corpus import alike, ranked
from crossin.facts.suite.material import LIST, Material, choice, drawn_options, listable
from crossin.facts.world import FactReason
from crossin.items.item import Item
from crossin.languages.words import WORDINGS, fill

# Words that share this many first letters are taken for forms of one word.
_BEGINNING = 4
# Pairs that are neither neighbours nor offered as "not neighbours": who owns the land between them is
# disputed, or they meet only by water, in one point, at a leased base or overseas.
_UNSETTLED = {
    *("AF-IN", "AL-RS", "BR-FR", "CA-DK", "CD-TZ", "CN-PK", "CU-US", "CY-GB", "DZ-EH", "EH-MA", "EH-MR"),
    *("ES-GB", "FR-NL", "FR-SR", "IL-PS", "IL-SY", "MA-MR", "NA-ZW", "RS-XK"),
}


def facts(material: Material) -> list[Item]:
    """The questions of the facts corpus: capital, currency, continent and official language.

    They have the corpus's options in its order, and the wording that the facts benchmark asks. Those whose
    question gives the answer away in some language are left out: the currency of Kazakhstan is the
    Kazakhstani tenge.
    """
    items = []
    for fact in material.facts:
        subject = material.subjects[fact.country.code]
        if any(_beginnings(name) & _beginnings(subject[language]) for language, name in fact.answers.items()):
            material.skipped[FactReason.ANSWER_IN_QUESTION.about(fact.relation)] += 1
            continue
        wording = drawn_wording(fact.id, WORDINGS)
        questions = {
            language: words.fact_question(fact.relation, wording, subject[language])
            for language, words in material.words.items()
        }
        items += choice(
            material, fact.id, fact.country.code, fact.right, list(fact.names), fact.names, questions
        )
    return items


def _beginnings(name: str) -> set[str]:
    return {word[:_BEGINNING] for word in re.findall(r"\w+", name.casefold()) if len(word) >= _BEGINNING}


def neighbours(material: Material) -> list[Item]:
    """For each country with a land neighbour: one of them, and three others that have a land border too.

    The wrong ones come from the same split and continent where there are enough.
    """
    landed = [country for country in listable(material, "neighbour") if country.neighbours]
    items = []
    for country in landed:
        item, subject = f"neighbour:{country.code}", material.subjects[country.code]
        candidates = [
            other.code
            for other in ranked(country, landed, item)
            if "-".join(sorted((country.code, other.code))) not in _UNSETTLED
            and not any(alike(name, subject[lang]) for lang, name in material.subjects[other.code].items())
        ]
        right = next((code for code in candidates if code in country.neighbours), None)
        if right is None:
            material.skipped[FactReason.NO_NEIGHBOUR] += 1
            continue
        wrong = [code for code in candidates if code not in country.neighbours]
        questions = {
            language: fill(suite.neighbour, country=subject[language], options=LIST)
            for language, suite in material.suites.items()
        }
        options = drawn_options(material, item, right, wrong, material.subjects)
        items += choice(material, item, country.code, right, options, material.subjects, questions)
    return items
