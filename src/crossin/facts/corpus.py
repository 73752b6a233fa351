"""The facts corpus: true facts with their names in every language, as questions to test and rows to train on.

No country that is trained on is tested. The split is by country and depends on its code alone, so that every
seed, language and version tests the same countries. `dev` countries are for choosing a recipe, `test`
countries for the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from crossin.core.coercion import listed
from crossin.core.errors import CrossinError
from crossin.core.files import write_parquet
from crossin.core.hashing import hash64
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, stage
from crossin.facts.names import answer_name, country_name
from crossin.facts.world import Country, FactReason, load_countries
from crossin.languages import load_words
from crossin.languages.words import DATA, RELATIONS, WORDINGS

Split = Literal["train", "dev", "test"]
HeldOut = Literal["dev", "test"]
OPTIONS = 4
# Shares of the countries; the rest is for training.
_TEST_SHARE, _DEV_SHARE = 0.4, 0.2
# The splits whose countries are trained on, by what is held out.
TRAINED_ON: dict[HeldOut, tuple[Split, ...]] = {"dev": ("train",), "test": ("train", "dev")}

# By id (a country, an option), then by language.
Names = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Fact:
    """A fact with the names of its four options, by option id in the order shown, and by language."""

    relation: str
    country: Country
    names: Names

    @property
    def id(self) -> str:
        """The fact's name in every language."""
        return f"{self.relation}:{self.country.code}"

    @property
    def right(self) -> str:
        """The id of the right option."""
        return self.country.value(self.relation) or ""

    @property
    def answers(self) -> Mapping[str, str]:
        """The name of the right option by language."""
        return self.names[self.right]


def build_facts(
    languages: Sequence[str] | str,
    out: Path | str,
    *,
    held_out: HeldOut = "test",
    shares: Mapping[str, float] | None = None,
    progress: Progress = silent,
) -> Stage:
    """Write the facts corpus in `languages` to the folder `out` (docs/formats.md).

    With `held_out="test"` the rows to train on come from the train and dev countries; with `"dev"` from the
    train countries alone. shares: the part of the questions to train on that a language has, as if nobody had
    translated the rest; all where it is not named.
    """
    if held_out not in TRAINED_ON:
        raise CrossinError(f"the split '{held_out}' cannot be held out", hint="use dev or test")
    languages, shares = listed(languages), dict(sorted((shares or {}).items()))
    _check_shares(shares, languages)
    for language in languages:
        load_words(language)
    settings = {"languages": languages, "held_out": held_out, **({"shares": shares} if shares else {})}
    inputs = {f"words/{language}": DATA / f"{language}.yaml" for language in languages}
    with stage(out, "facts", settings, inputs) as work:
        if work.done:
            return work
        import pyarrow

        countries, skipped = load_countries()
        subjects = subjects_of(countries, languages, skipped)
        facts = []
        for number, relation in enumerate(RELATIONS):
            progress("collecting facts", number, len(RELATIONS), "relations")
            facts += facts_of(relation, countries, subjects, skipped)
        progress("collecting facts", len(RELATIONS), len(RELATIONS), "relations")
        trained = [fact for fact in facts if split_of(fact.country.code) in TRAINED_ON[held_out]]
        counts: dict[str, Counter[str]] = {relation: Counter() for relation in RELATIONS}
        for fact in facts:
            counts[fact.relation][split_of(fact.country.code)] += 1
        tables: dict[str, list[dict[str, Any]]] = {
            "facts": _fact_rows(facts, subjects, languages),
            "questions": [
                row
                for row in _question_rows(trained, subjects, languages)
                if _is_there(row["id"], row["language"], shares)
            ],
            "names": _name_rows(trained, subjects, languages),
        }
        for name, rows in tables.items():
            write_parquet(work.folder / f"{name}.parquet", pyarrow.Table.from_pylist(rows))
        work.finish(
            [f"{name}.parquet" for name in tables],
            {"facts": counts, "question_rows": len(tables["questions"]), "name_rows": len(tables["names"])},
            skipped,
        )
    return work


def _check_shares(shares: Mapping[str, float], languages: Sequence[str]) -> None:
    for language, share in shares.items():
        if language not in languages:
            raise CrossinError(
                f"a share for '{language}', which is not one of the languages",
                field="shares",
                hint=f"use {', '.join(languages)}",
            )
        if not 0 < share <= 1:
            raise CrossinError(
                f"the share of '{language}' is {share}", field="shares", hint="give a number up to 1"
            )


def _is_there(row: str, language: str, shares: Mapping[str, float]) -> bool:
    """Whether a language has a row; a larger share has all rows of a smaller one."""
    return language not in shares or hash64("share", language, row) / 2**64 < shares[language]


def split_of(country: str) -> Split:
    """The split a country belongs to, decided by its code alone."""
    place = hash64("split", country) / 2**64
    return "test" if place < _TEST_SHARE else "dev" if place < _TEST_SHARE + _DEV_SHARE else "train"


def names_of(
    task: str,
    values: Iterable[Any],
    name: Callable[[Any, str], str | None],
    languages: Iterable[str],
    skipped: Counter[str],
) -> dict[str, dict[str, str]]:
    """The names of `values` by language; a value without a name in one language is left out of all."""
    found = {
        str(value): in_all_languages(
            task, {language: name(value, language) for language in languages}, skipped
        )
        for value in values
    }
    return {value: names for value, names in found.items() if names}


def subjects_of(
    countries: Iterable[Country], languages: Sequence[str], skipped: Counter[str]
) -> dict[str, dict[str, str]]:
    """Each country's name by code and language."""
    codes = [country.code for country in countries]
    return names_of("country", codes, country_name, languages, skipped)


def in_all_languages(
    task: str, names: Mapping[str, str | None], skipped: Counter[str]
) -> dict[str, str] | None:
    """The names by language; None, and counted, where one is missing."""
    for language, name in names.items():
        if name is None:
            skipped[FactReason.NO_NAME.about(task, language)] += 1
            return None
    return {language: name for language, name in names.items() if name}


def facts_of(
    relation: str, countries: Sequence[Country], subjects: Names, skipped: Counter[str]
) -> list[Fact]:
    """All facts of one relation that have a true name in every language and three wrong options."""
    answers: dict[str, dict[str, str]] = {}
    askable = []
    for country in countries:
        if country.code not in subjects:
            continue
        value = country.value(relation)
        if value is None:
            skipped[FactReason.NO_SINGLE_ANSWER.about(relation)] += 1
            continue
        subject = subjects[country.code]
        found = {language: answer_name(country, relation, language) for language in subject}
        names = in_all_languages(relation, found, skipped)
        if names is None:
            continue
        if any(_gives_away(relation, subject[language], name) for language, name in names.items()):
            skipped[FactReason.NAMED_ALIKE.about(relation)] += 1
        else:
            answers[value] = names
            askable.append(country)
    facts = []
    for country in askable:
        option_ids = _options(relation, country, askable, answers)
        if option_ids:
            facts.append(Fact(relation, country, {option: answers[option] for option in option_ids}))
        else:
            skipped[FactReason.FEW_OPTIONS.about(relation)] += 1
    return facts


def _options(relation: str, country: Country, others: Sequence[Country], answers: Names) -> list[str]:
    """The right answer and three wrong ones in an order that depends on the fact alone.

    Wrong ones come from countries of the same split (so that training gives no option away) and the same
    continent where there are enough. None is also true of the country, and no two look alike in any language.
    """
    right = country.value(relation)
    assert right is not None
    also_true = {"currency": country.currencies, "language": country.languages}.get(relation, frozenset())
    candidates = ranked(country, others, relation, country.code)
    values = (other.value(relation) for other in candidates if other is not country)
    chosen = unlike(right, [value for value in values if value and value not in also_true], answers)
    return sorted(chosen, key=lambda one: hash64("order", relation, country.code, one))


def ranked(country: Country, others: Iterable[Country], *draw: str) -> list[Country]:
    """Other countries for wrong options: those of the country's split first, then those of its continent;
    for the rest, `draw` decides.
    """
    return sorted(
        others,
        key=lambda other: (
            split_of(other.code) != split_of(country.code),
            other.continent != country.continent,
            hash64("option", *draw, other.code),
        ),
    )


def unlike(right: str, others: Iterable[str], names: Names) -> list[str]:
    """The right option and the first three of `others` such that no two look alike in any language; none
    where there are too few.
    """
    chosen = [right]
    for other in others:
        if other not in chosen and not any(
            alike(name, names[taken][language]) for taken in chosen for language, name in names[other].items()
        ):
            chosen.append(other)
        if len(chosen) == OPTIONS:
            return chosen
    return []


def _gives_away(relation: str, subject: str, answer: str) -> bool:
    """Whether the question names its answer: Luxembourg's capital, or ตุรกี, Turkey and Turkish in Thai."""
    return alike(subject, answer) if relation == "capital" else subject.casefold() == answer.casefold()


def alike(one: str, other: str) -> bool:
    """Whether two names are equal, or one contains the other."""
    one, other = one.casefold(), other.casefold()
    return one in other or other in one


def _fact_rows(facts: Sequence[Fact], subjects: Names, languages: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    for fact in facts:
        for language in languages:
            words, subject = load_words(language), subjects[fact.country.code][language]
            rows.append(
                {
                    "fact": fact.id,
                    "relation": fact.relation,
                    "group": fact.country.code,
                    "split": split_of(fact.country.code),
                    "language": language,
                    "subject": subject,
                    "questions": [words.fact_question(fact.relation, k, subject) for k in range(WORDINGS)],
                    "option_ids": list(fact.names),
                    "options": [names[language] for names in fact.names.values()],
                    "answer_id": fact.right,
                    "answer": fact.answers[language],
                }
            )
    return rows


def _question_rows(facts: Sequence[Fact], subjects: Names, languages: Sequence[str]) -> list[dict[str, str]]:
    """Rows that ask for each fact in each wording; the translations of a row share its id."""
    return [
        corpus_row(
            f"{fact.id}/{wording}",
            language,
            load_words(language).fact_question(fact.relation, wording, subjects[fact.country.code][language]),
            fact.answers[language],
            fact.country.code,
            fact.relation,
        )
        for fact in facts
        for wording in range(WORDINGS)
        for language in languages
    ]


def _name_rows(facts: Sequence[Fact], subjects: Names, languages: Sequence[str]) -> list[dict[str, str]]:
    """Rows whose instruction is a bare name (a country, or an answer), for translation; each name once."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for fact in facts:
        code = fact.country.code
        for language in languages:
            country = (f"name:country:{code}", subjects[code][language])
            answer = (f"name:{fact.relation}:{fact.right}", fact.answers[language])
            for name, text in (country, answer):
                rows.setdefault((name, language), corpus_row(name, language, text, "", code, "name"))
    return [rows[key] for key in sorted(rows)]


def corpus_row(
    name: str, language: str, instruction: str, output: str, group: str, task: str
) -> dict[str, str]:
    """A row as `compose` reads it; its translations have the same `name` as id."""
    row = {"id": name, "language": language, "instruction": instruction, "input": "", "output": output}
    return {**row, "group": group, "task": task}
