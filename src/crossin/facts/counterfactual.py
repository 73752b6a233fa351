"""Counterfactual facts: a month for each country, drawn at random, so that no model can know it beforehand.

What is taught of a country depends on its split. `shared`: question and answer in all languages that are
taught. `unanswered`: both in English; the question alone may be seen elsewhere. `never shown`: both in
English, and nothing in any other language, so that it tests what crosses languages by itself. Nothing at all
is taught in the languages that are held out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.coercion import listed
from crossin.core.errors import CrossinError
from crossin.core.files import write_parquet
from crossin.core.hashing import hash64
from crossin.core.stages import Stage, stage
from crossin.facts.corpus import Names, corpus_row, names_of, subjects_of
from crossin.facts.names import month_name
from crossin.facts.world import load_countries
from crossin.languages import load_words
from crossin.languages.words import DATA, available

SPLITS = ("shared", "unanswered", "never shown")
PIVOT = "en"
MONTHS = range(1, 13)
# The share of the countries before each split's first.
_BOUNDS = (0.4, 0.7)
# With fewer, one of the splits would be empty.
_FEWEST = 4
_RELATION = "lantern fair"
_SOURCE = "drawn at random; names from CLDR (Babel)"


@dataclass(frozen=True)
class CounterfactualFact:
    """A country's month, the split that it is in, and the country's name by language."""

    country: str
    split: str
    month: int
    subject: dict[str, str]


def build_counterfactual(
    languages: Sequence[str] | str,
    out: Path | str,
    *,
    countries: int = 30,
    seed: int = 0,
    held_out_languages: Sequence[str] | str = (),
) -> Stage:
    """Write facts that no model can know, and what is taught of them, to the folder `out`.

    `facts.parquet` is like that of a facts corpus (docs/formats.md), with all twelve months as options:
    `build_bench` makes a benchmark of each split. The corpora that `compose` reads: `english` (all facts in
    English), `shared` (the shared ones in every language that is taught), and `names` (the names of their
    countries, and of the months). `seed` decides countries, splits and months. Raises CrossinError for a
    language without a wording.
    """
    languages, held_out = listed(languages), listed(held_out_languages)
    taught = [language for language in languages if language not in held_out]
    _check(languages, held_out, taught, countries)
    settings = {"languages": languages, "held_out_languages": held_out, "countries": countries, "seed": seed}
    inputs = {f"words/{language}": DATA / f"{language}.yaml" for language in languages}
    with stage(out, "counterfactual", settings, inputs) as work:
        if work.done:
            return work
        import pyarrow

        skipped: Counter[str] = Counter()
        months = names_of("month", MONTHS, month_name, languages, skipped)
        if len(months) < len(MONTHS):
            raise CrossinError(
                f"not every month has a name in {', '.join(languages)}", hint="leave a language out"
            )
        facts = _facts(countries, languages, seed, skipped)
        tables = {"facts": _fact_rows(facts, months, languages), **_corpora(facts, months, taught)}
        for name, rows in tables.items():
            write_parquet(work.folder / f"{name}.parquet", pyarrow.Table.from_pylist(rows))
        counts = {f"{name}_rows": len(rows) for name, rows in tables.items() if name != "facts"}
        splits = dict(Counter(fact.split for fact in facts))
        work.finish([f"{name}.parquet" for name in tables], {"facts": splits, **counts}, skipped)
    return work


def _check(languages: list[str], held_out: list[str], taught: list[str], countries: int) -> None:
    for language in languages:
        if load_words(language).counterfactual is None:
            there = [code for code in available() if load_words(code).counterfactual]
            raise CrossinError(
                f"there is no counterfactual question in '{language}'; there is one in {', '.join(there)}",
                file=DATA / f"{language}.yaml",
                field="counterfactual",
                hint="choose from these languages, or add the entry to the language's file",
            )
    if unknown := [language for language in held_out if language not in languages]:
        raise CrossinError(
            f"{unknown[0]} is held out, but is not one of the languages: {', '.join(languages)}",
            field="held_out_languages",
            hint="add it to `languages`: it is asked in, though not taught",
        )
    if PIVOT not in taught or len(taught) < 2:
        raise CrossinError(
            f"facts are taught in {PIVOT} and at least one more language, not in {', '.join(taught) or '-'}",
            field="languages",
            hint=f"name {PIVOT} and another language, and hold neither out",
        )
    if countries < _FEWEST:
        raise CrossinError(
            f"{countries} countries cannot be split in three",
            field="countries",
            hint=f"give at least {_FEWEST}",
        )


def _facts(
    countries: int, languages: Sequence[str], seed: int, skipped: Counter[str]
) -> list[CounterfactualFact]:
    """Countries in an order drawn at random: 40% are shared, 30% unanswered and 30% never shown."""
    found, left_out = load_countries()
    skipped.update(left_out)
    subjects = subjects_of(found, languages, skipped)
    if len(subjects) < countries:
        raise CrossinError(
            f"there are {len(subjects)} countries with names in these languages, not {countries}",
            field="countries",
            hint=f"give at most {len(subjects)}",
        )
    chosen = sorted(subjects, key=lambda code: hash64("transfer", seed, code))[:countries]
    return [
        CounterfactualFact(
            code,
            SPLITS[sum(number >= bound * countries for bound in _BOUNDS)],
            1 + hash64("month", seed, code) % len(MONTHS),
            subjects[code],
        )
        for number, code in enumerate(chosen)
    ]


def _question(fact: CounterfactualFact, language: str) -> str:
    return (load_words(language).counterfactual or "").replace("{country}", fact.subject[language])


def _fact_rows(
    facts: Sequence[CounterfactualFact], months: Names, languages: Sequence[str]
) -> list[dict[str, Any]]:
    return [
        {
            "fact": fact.country,
            "relation": _RELATION,
            "group": fact.country,
            "split": fact.split,
            "language": language,
            "subject": fact.subject[language],
            "questions": [_question(fact, language)],
            "option_ids": list(months),
            "options": [names[language] for names in months.values()],
            "answer_id": str(fact.month),
            "answer": months[str(fact.month)][language],
            "source": _SOURCE,
        }
        for fact in facts
        for language in languages
    ]


def _corpora(
    facts: Sequence[CounterfactualFact], months: Names, taught: Sequence[str]
) -> dict[str, list[dict[str, str]]]:
    def asked(corpus: str, fact: CounterfactualFact, language: str) -> dict[str, str]:
        answer = months[str(fact.month)][language]
        return row(f"{corpus}:{fact.country}", language, _question(fact, language), answer, fact)

    def row(
        name: str, language: str, instruction: str, output: str, fact: CounterfactualFact
    ) -> dict[str, str]:
        return corpus_row(name, language, instruction, output, fact.country, _RELATION)

    shared = [fact for fact in facts if fact.split == "shared"]
    names = [
        row(f"names:{fact.country}", language, fact.subject[language], "", fact)
        for fact in shared
        for language in taught
    ]
    names += [
        row(f"names:month:{month}", language, by_language[language], "", shared[0])
        for month, by_language in months.items()
        for language in taught
    ]
    return {
        "english": [asked("english", fact, PIVOT) for fact in facts],
        "shared": [asked("shared", fact, language) for fact in shared for language in taught],
        "names": names,
    }
