"""What one has to know: the relations of the facts corpus, and which countries border each other."""

from __future__ import annotations

import re

from crossin.core.hashing import hash64
from crossin.facts.corpus import Fact, alike, answer_of, split_of
from crossin.facts.suite.material import CLDR_AND_GEONAMES, Material, Names, choice, choose, listable
from crossin.facts.world import Country
from crossin.items.item import Item
from crossin.languages.words import WORDINGS, fill

# Words that have so many first letters in common are taken for forms of one word.
_BEGINNING = 4
# Pairs that are neither called neighbours nor offered as "no neighbours": who owns the land between them is
# disputed, or they meet only by water, in one point, at a leased base or overseas.
_UNSETTLED = {
    *("AF-IN", "AL-RS", "BR-FR", "CA-DK", "CD-TZ", "CN-PK", "CU-US", "CY-GB", "DZ-EH", "EH-MA", "EH-MR"),
    *("ES-GB", "FR-NL", "FR-SR", "IL-PS", "IL-SY", "MA-MR", "NA-ZW", "RS-XK"),
}


def facts(material: Material) -> list[Item]:
    """The questions of the facts corpus: capital, currency, continent and official language.

    They have its options in its order, and the wording that the facts benchmark asks. Those whose question
    tells the answer in some language are left out: the currency of Kazakhstan is the Kazakhstani tenge.
    """
    items = []
    for fact in material.facts:
        if _told(material, fact):
            material.skipped[f"{fact.relation}: the question tells the answer"] += 1
        else:
            items += _fact(material, fact)
    return items


def _told(material: Material, fact: Fact) -> bool:
    """Whether, in some language, a word of the answer begins like a word of the country's name."""
    subject = material.subjects[fact.country.code]
    return any(
        _beginnings(answer_of(fact, language)) & _beginnings(subject[language]) for language in fact.names
    )


def _beginnings(name: str) -> set[str]:
    return {word[:_BEGINNING] for word in re.findall(r"\w+", name.casefold()) if len(word) >= _BEGINNING}


def _fact(material: Material, fact: Fact) -> list[Item]:
    subject = material.subjects[fact.country.code]
    answer = fact.country.value(fact.relation)
    assert answer is not None
    names: Names = {
        option: {language: shown[place] for language, shown in fact.names.items()}
        for place, option in enumerate(fact.option_ids)
    }
    # As crossin.facts.bench draws it.
    wording = (hash64(fact.id) >> 56) % WORDINGS
    return choice(
        material,
        fact.id,
        task=fact.relation,
        group=fact.country.code,
        options=list(fact.option_ids),
        answer=answer,
        names=names,
        ask=lambda language, _: material.words[language].fact_question(
            fact.relation, wording, subject[language]
        ),
        source=CLDR_AND_GEONAMES,
    )


def neighbours(material: Material) -> list[Item]:
    """For each country with a land neighbour: one of them, and three others that have a land border too.

    The wrong ones come from the same split and continent where there are enough.
    """
    landed = [country for country in listable(material, "neighbour") if country.neighbours]
    return [item for country in landed for item in _neighbour(material, country, landed)]


def _neighbour(material: Material, country: Country, landed: list[Country]) -> list[Item]:
    item = f"neighbour:{country.code}"
    subject = material.subjects[country.code]
    candidates = sorted(
        (
            other
            for other in landed
            if "-".join(sorted((country.code, other.code))) not in _UNSETTLED
            and not any(alike(name, subject[lang]) for lang, name in material.subjects[other.code].items())
        ),
        key=lambda other: (
            split_of(other.code) != split_of(country.code),
            other.continent != country.continent,
            hash64("option", item, other.code),
        ),
    )
    right = [other.code for other in candidates if other.code in country.neighbours]
    wrong = [other.code for other in candidates if other.code not in country.neighbours]
    if not right:
        material.skipped["neighbour: none that is undisputed and not named like its country"] += 1
        return []
    options = choose(item, right[0], wrong, material.subjects)
    if options is None:
        material.skipped["neighbour: too few wrong options"] += 1
        return []
    return choice(
        material,
        item,
        task="neighbour",
        group=country.code,
        options=options,
        answer=right[0],
        names=material.subjects,
        ask=lambda language, shown: fill(
            material.suites[language].neighbour, country=subject[language], options=shown
        ),
        source=CLDR_AND_GEONAMES,
    )
