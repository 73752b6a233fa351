"""The facts corpus: true facts with their names in every language, as questions to test and rows to train on.

No country that is trained on is tested: the split is by country and depends on nothing but its code, so that
every seed, language and version tests the same countries. `dev` countries are for choosing a recipe, `test`
countries for the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from crossin.core.errors import CrossinError
from crossin.core.files import write_parquet
from crossin.core.hashing import hash64
from crossin.core.progress import Progress, silent
from crossin.core.stages import Stage, begin
from crossin.facts.names import answer_name, country_name
from crossin.facts.world import Country, load_countries
from crossin.languages import load_words
from crossin.languages.words import DATA, RELATIONS, WORDINGS

HeldOut = Literal["dev", "test"]
OPTIONS = 4
# Shares of the countries; the rest is for training.
_TEST_SHARE, _DEV_SHARE = 0.4, 0.2


@dataclass(frozen=True)
class Fact:
    """A fact with its four options; `names[language]` is in the order of `option_ids`."""

    relation: str
    country: Country
    option_ids: tuple[str, ...]
    names: dict[str, tuple[str, ...]]

    @property
    def id(self) -> str:
        """What the fact is called in every language."""
        return f"{self.relation}:{self.country.code}"


def build_facts(
    languages: list[str], out: Path, *, held_out: HeldOut = "test", progress: Progress = silent
) -> Stage:
    """Write the facts corpus in `languages` to the folder `out` (docs/formats.md).

    With `held_out="test"` the rows to train on come from the train and dev countries; with `"dev"` from the
    train countries alone.
    """
    for language in languages:
        load_words(language)
    templates = {f"words/{language}": DATA / f"{language}.yaml" for language in languages}
    stage = begin(out, "facts", {"languages": languages, "held_out": held_out}, templates)
    if stage.done:
        return stage
    countries, skipped = load_countries()
    subjects = subjects_of(countries, languages, skipped)
    facts = []
    for number, relation in enumerate(RELATIONS):
        progress("collecting facts", number, len(RELATIONS), "relations")
        facts += facts_of(relation, countries, subjects, skipped)
    progress("collecting facts", len(RELATIONS), len(RELATIONS), "relations")
    trained = [fact for fact in facts if split_of(fact.country.code) in _splits_to_train(held_out)]
    counts = {
        f"{relation}, {split}": sum(
            fact.relation == relation and split_of(fact.country.code) == split for fact in facts
        )
        for relation in RELATIONS
        for split in ("train", "dev", "test")
    }
    _write_facts(out / "facts.parquet", facts, subjects, languages)
    rows = _write_questions(out / "questions.parquet", trained, subjects, languages)
    names = _write_names(out / "names.parquet", trained, subjects, languages)
    stage.finish(
        ["facts.parquet", "questions.parquet", "names.parquet"],
        {"facts": counts, "question rows": rows, "name rows": names},
        dict(sorted(skipped.items())),
    )
    return stage


def split_of(country: str) -> Literal["train", "dev", "test"]:
    """The split a country belongs to, decided by its code alone."""
    place = hash64("split", country) / 2**64
    return "test" if place < _TEST_SHARE else "dev" if place < _TEST_SHARE + _DEV_SHARE else "train"


def _splits_to_train(held_out: HeldOut) -> tuple[str, ...]:
    if held_out == "dev":
        return ("train",)
    if held_out == "test":
        return ("train", "dev")
    raise CrossinError(f"no split named '{held_out}' can be held out", hint="choose dev or test")


def subjects_of(
    countries: list[Country], languages: list[str], skipped: Counter[str]
) -> dict[str, dict[str, str]]:
    """Each country's name by language; a country that lacks one in some language is left out of all."""
    subjects = {}
    for country in countries:
        names = {language: country_name(country.code, language) for language in languages}
        missing = [language for language, name in names.items() if name is None]
        if missing:
            skipped[f"country: no name in {missing[0]}"] += 1
        else:
            subjects[country.code] = {language: name for language, name in names.items() if name}
    return subjects


def facts_of(
    relation: str, countries: list[Country], subjects: dict[str, dict[str, str]], skipped: Counter[str]
) -> list[Fact]:
    """All facts of one relation that have a true name in every language and three wrong options."""
    answers: dict[str, dict[str, str]] = {}
    askable = []
    for country in countries:
        if country.code not in subjects:
            continue
        value = country.value(relation)
        if value is None:
            skipped[f"{relation}: no single answer, or no name for it"] += 1
            continue
        subject = subjects[country.code]
        names = {language: answer_name(country, relation, language) for language in subject}
        missing = [language for language, name in names.items() if name is None]
        if missing:
            skipped[f"{relation}: no name in {missing[0]}"] += 1
        elif any(_gives_away(relation, subject[language], name) for language, name in names.items() if name):
            skipped[f"{relation}: named like its country"] += 1
        else:
            answers[value] = {language: name for language, name in names.items() if name}
            askable.append(country)
    facts = []
    for country in askable:
        option_ids = _options(relation, country, askable, answers)
        if option_ids is None:
            skipped[f"{relation}: too few wrong options"] += 1
            continue
        names_by_language = {
            language: tuple(answers[option][language] for option in option_ids)
            for language in subjects[country.code]
        }
        facts.append(Fact(relation, country, option_ids, names_by_language))
    return facts


def _options(
    relation: str, country: Country, others: list[Country], answers: dict[str, dict[str, str]]
) -> tuple[str, ...] | None:
    """The right answer and three wrong ones in an order that depends on the fact alone.

    Wrong ones come from countries of the same split (so that having been trained on gives no option away) and
    the same continent where there are enough; none is also true of the country, and no two look alike in any
    language.
    """
    right = country.value(relation)
    assert right is not None
    true_of_country = {"currency": country.currencies, "language": country.languages}.get(
        relation, frozenset()
    )
    candidates = sorted(
        (other for other in others if other.code != country.code),
        key=lambda other: (
            split_of(other.code) != split_of(country.code),
            other.continent != country.continent,
            hash64("option", relation, country.code, other.code),
        ),
    )
    values = (other.value(relation) for other in candidates)
    chosen = unlike(
        right, [value for value in values if value is not None and value not in true_of_country], answers
    )
    if chosen is None:
        return None
    return tuple(sorted(chosen, key=lambda option: hash64("order", relation, country.code, option)))


def unlike(right: str, others: Iterable[str], names: dict[str, dict[str, str]]) -> list[str] | None:
    """The right option and the first three of `others` such that no two look alike in any language; None
    where there are too few.

    `names` holds each option's name by language.
    """
    chosen = [right]
    for other in others:
        if other not in chosen and not any(
            alike(name, names[taken][language]) for taken in chosen for language, name in names[other].items()
        ):
            chosen.append(other)
        if len(chosen) == OPTIONS:
            return chosen
    return None


def _gives_away(relation: str, subject: str, answer: str) -> bool:
    """Whether the question names its answer: Luxembourg's capital; the language of ตุรกี (Türkiye) is ตุรกี
    (Turkish) in Thai.
    """
    return alike(subject, answer) if relation == "capital" else subject.casefold() == answer.casefold()


def alike(one: str, other: str) -> bool:
    """Whether two names are the same to a reader, or one holds the other."""
    one, other = one.casefold(), other.casefold()
    return one in other or other in one


def _write_facts(
    path: Path, facts: list[Fact], subjects: dict[str, dict[str, str]], languages: list[str]
) -> None:
    import pyarrow

    lines = []
    for fact in facts:
        right = fact.country.value(fact.relation)
        for language in languages:
            words, subject = load_words(language), subjects[fact.country.code][language]
            lines.append(
                {
                    "fact": fact.id,
                    "relation": fact.relation,
                    "group": fact.country.code,
                    "split": split_of(fact.country.code),
                    "language": language,
                    "subject": subject,
                    "questions": [words.fact_question(fact.relation, k, subject) for k in range(WORDINGS)],
                    "option_ids": list(fact.option_ids),
                    "options": list(fact.names[language]),
                    "answer_id": right,
                    "answer": answer_of(fact, language),
                }
            )
    write_parquet(path, pyarrow.Table.from_pylist(lines))


def answer_of(fact: Fact, language: str) -> str:
    """The name of a fact's right answer."""
    return fact.names[language][fact.option_ids.index(fact.country.value(fact.relation) or "")]


def _write_questions(
    path: Path, facts: list[Fact], subjects: dict[str, dict[str, str]], languages: list[str]
) -> int:
    """Rows that ask for each fact in each wording; the translations of a row share its id."""
    return _write_rows(
        path,
        [
            {
                "id": f"{fact.id}/{wording}",
                "language": language,
                "instruction": load_words(language).fact_question(
                    fact.relation, wording, subjects[fact.country.code][language]
                ),
                "input": "",
                "output": answer_of(fact, language),
                "group": fact.country.code,
                "task": fact.relation,
            }
            for fact in facts
            for wording in range(WORDINGS)
            for language in languages
        ],
    )


def _write_names(
    path: Path, facts: list[Fact], subjects: dict[str, dict[str, str]], languages: list[str]
) -> int:
    """Rows whose instruction is a bare name (a country, or an answer), for translation; each name once."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for fact in facts:
        right = fact.country.value(fact.relation)
        for language in languages:
            for kind, value, name in (
                ("country", fact.country.code, subjects[fact.country.code][language]),
                (fact.relation, right, answer_of(fact, language)),
            ):
                rows.setdefault(
                    (f"name:{kind}:{value}", language),
                    {
                        "id": f"name:{kind}:{value}",
                        "language": language,
                        "instruction": name,
                        "input": "",
                        "output": "",
                        "group": fact.country.code,
                        "task": "name",
                    },
                )
    return _write_rows(path, [rows[key] for key in sorted(rows)])


def _write_rows(path: Path, rows: list[dict[str, str]]) -> int:
    import pyarrow

    write_parquet(path, pyarrow.Table.from_pylist(rows))
    return len(rows)
