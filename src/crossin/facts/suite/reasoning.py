"""Reasoning: days, months, populations and numbers in words."""

from __future__ import annotations

from collections.abc import Callable

from crossin.core.hashing import hash64
from crossin.facts.corpus import names_of, ranked, unlike
from crossin.facts.names import month_name, weekday_name
from crossin.facts.suite.material import Material, choice, drawn_options, listable
from crossin.facts.world import FactReason
from crossin.items.item import Item
from crossin.languages.words import fill

# How many days or months ahead; each distance is asked from this many starts.
_DAYS, _MONTHS, _STARTS = range(2, 62), range(2, 52), 2
# The most populous country has at least this many times the people of each other: censuses differ.
_TIMES_AS_MANY = 2
_NUMBER_SETS = 40


def weekdays(material: Material) -> list[Item]:
    """Which day of the week it will be in some days."""
    return _calendar(material, "weekday", _DAYS, 7, weekday_name)


def months(material: Material) -> list[Item]:
    """Which month it will be in some months."""
    return _calendar(material, "month", _MONTHS, 12, month_name)


def _calendar(
    material: Material, task: str, distances: range, length: int, name: Callable[[int, str], str | None]
) -> list[Item]:
    """What comes some steps after a start in a cycle of `length`, counted from 1."""
    names = names_of(task, range(1, length + 1), name, material.words, material.skipped)
    items = []
    for number in distances:
        starts = sorted(range(1, length + 1), key=lambda start: hash64(task, str(number), str(start)))
        for start in starts[:_STARTS]:
            item = f"{task}:{start}+{number}"
            right = str((start - 1 + number) % length + 1)
            if not {right, str(start)} <= names.keys():
                material.skipped[FactReason.FEW_NAMES.about(task)] += 1
                continue
            others = sorted(names.keys() - {right}, key=lambda other: hash64("option", item, other))
            questions = {
                language: fill(
                    getattr(suite, task), **{task: names[str(start)][language]}, number=str(number)
                )
                for language, suite in material.suites.items()
            }
            options = drawn_options(material, item, right, others, names)
            items += choice(material, item, f"{task}:{number}", right, options, names, questions)
    return items


def populations(material: Material) -> list[Item]:
    """Which of four countries of a continent has the most people; each country is the answer at most once."""
    countries = listable(material, "population")
    questions = {language: suite.population for language, suite in material.suites.items()}
    items = []
    for country in countries:
        item, code = f"population:{country.code}", country.code
        smaller = [
            other.code
            for other in ranked(country, countries, item)
            if other.continent == country.continent
            and other.population * _TIMES_AS_MANY <= country.population
        ]
        options = drawn_options(material, item, code, smaller, material.subjects)
        items += choice(material, item, code, code, options, material.subjects, questions)
    return items


def numbers(material: Material) -> list[Item]:
    """Which of four numbers in words is the largest, the second largest or the smallest."""
    names = {
        str(number): {language: suite.numbers[number] for language, suite in material.suites.items()}
        for number in next(iter(material.suites.values())).numbers
    }
    drawn: set[tuple[int, ...]] = set()
    items = []
    for turn in range(_NUMBER_SETS):
        first, *rest = sorted(names, key=lambda number: hash64("number", str(turn), number))
        four = tuple(sorted(map(int, unlike(first, rest, names))))
        if not four or four in drawn:
            reason = FactReason.DRAWN_BEFORE if four else FactReason.FEW_NAMES
            material.skipped[reason.about("number")] += 1
            continue
        drawn.add(four)
        group = "number:" + "-".join(map(str, four))
        for kind, place in (("largest", -1), ("second_largest", -2), ("smallest", 0)):
            item, right = f"{group}:{kind.replace('_', ' ')}", str(four[place])
            questions = {language: getattr(suite, kind) for language, suite in material.suites.items()}
            others = [str(number) for number in four if str(number) != right]
            options = drawn_options(material, item, right, others, names)
            items += choice(material, item, group, right, options, names, questions)
    return items
