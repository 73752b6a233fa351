"""Generation: names, written in free text. The right answer is the name as CLDR spells it."""

from __future__ import annotations

from crossin.facts.corpus import in_all_languages
from crossin.facts.names import country_name
from crossin.facts.suite.material import Material, free_text
from crossin.facts.world import FactReason
from crossin.items.item import Item
from crossin.languages.words import fill

# The wording "Name the capital city of this country".
_IMPERATIVE = 2
# Signs of a name with an explanation ("Myanmar (Burma)", "Congo - Kinshasa", "Hong Kong SAR China").
_EXPLAINED = ("(", " - ", " – ", "SAR")


def capitals(material: Material) -> list[Item]:
    """Each capital of the facts corpus, to be named."""
    items = []
    for fact in material.facts:
        if fact.relation == "capital":
            code = fact.country.code
            questions = {
                language: words.fact_question("capital", _IMPERATIVE, material.subjects[code][language])
                for language, words in material.words.items()
            }
            items += free_text(f"name capital:{code}", code, fact.answers, questions)
    return items


def translations(material: Material) -> list[Item]:
    """Each country's English name, to be translated into each language; into English, the Spanish name, or
    the name in the first other language where Spanish is not asked.

    Names that more than half of the languages spell alike are left out.
    """
    languages = list(material.words)
    others = [language for language in languages if language != "en"]
    from_other = "es" if "es" in languages or not others else others[0]
    sources = {language: from_other if language == "en" else "en" for language in languages}
    task, items = "translate name", []
    for code, references in material.subjects.items():
        names = {source: country_name(code, source) for source in sources.values()}
        found = in_all_languages(task, names, material.skipped)
        if found is None:
            continue
        texts = {language: found[source] for language, source in sources.items()}
        if any(sign in name for name in [*references.values(), *texts.values()] for sign in _EXPLAINED):
            material.skipped[FactReason.EXPLAINED_NAME.about(task)] += 1
        elif 2 * sum(texts[language] == references[language] for language in texts) > len(texts):
            material.skipped[FactReason.SPELT_ALIKE.about(task)] += 1
        else:
            questions = {
                language: fill(words.translate_here, text=texts[language])
                for language, words in material.words.items()
            }
            items += free_text(f"{task}:{code}", code, references, questions)
    return items
