"""What one has to write: names, in free text. The right answer is the name as CLDR writes it."""

from __future__ import annotations

from crossin.facts.corpus import Fact
from crossin.facts.names import country_name
from crossin.facts.suite.material import Material, free_text
from crossin.items.item import Item
from crossin.languages.words import fill

# The wording "Name the capital city of this country".
_IMPERATIVE = 2
# Signs of a name that is an explanation ("Myanmar (Burma)", "Congo - Kinshasa", "Hong Kong SAR China").
_EXPLAINED = ("(", " - ", " – ", "SAR")


def capitals(material: Material) -> list[Item]:
    """Each capital of the facts corpus, to be named."""
    return [
        item for fact in material.facts if fact.relation == "capital" for item in _capital(material, fact)
    ]


def _capital(material: Material, fact: Fact) -> list[Item]:
    code = fact.country.code
    place = fact.option_ids.index(code)
    return free_text(
        material,
        f"name capital:{code}",
        task="name capital",
        group=code,
        ask=lambda language: material.words[language].fact_question(
            "capital", _IMPERATIVE, material.subjects[code][language]
        ),
        references={language: names[place] for language, names in fact.names.items()},
    )


def translations(material: Material) -> list[Item]:
    """Each country's English name, to be translated into each language; into English, the Spanish name, or
    that in the first other language where Spanish is not asked.

    A name that more than half of the languages take over as it stands is left out.
    """
    languages = list(material.words)
    others = [language for language in languages if language != "en"]
    from_other = "es" if "es" in languages or not others else others[0]
    sources = {language: from_other if language == "en" else "en" for language in languages}
    return [item for code in material.subjects for item in _translation(material, code, sources)]


def _translation(material: Material, code: str, sources: dict[str, str]) -> list[Item]:
    references = material.subjects[code]
    texts = {}
    for language, source in sources.items():
        text = country_name(code, source)
        if text is None:
            material.skipped[f"translate name: no name in {source}"] += 1
            return []
        texts[language] = text
    if any(sign in name for name in [*references.values(), *texts.values()] for sign in _EXPLAINED):
        material.skipped["translate name: holds an explanation"] += 1
        return []
    if 2 * sum(texts[language] == references[language] for language in texts) > len(texts):
        material.skipped["translate name: spelt alike in more than half of the languages"] += 1
        return []
    return free_text(
        material,
        f"translate name:{code}",
        task="translate name",
        group=code,
        ask=lambda language: fill(material.words[language].translate_here, text=texts[language]),
        references=references,
    )
