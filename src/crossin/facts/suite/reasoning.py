"""Reasoning: days, months, populations and numbers in words."""

from __future__ import annotations

from collections.abc import Callable

from crossin.core.hashing import hash64
from crossin.facts.corpus import Names, ranked, unlike
from crossin.facts.names import month_name, weekday_name
from crossin.facts.reasons import FactReason
from crossin.facts.suite.material import Material, choice, listable, named
from crossin.facts.world import Country
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
    names = named(material, task, range(1, length + 1), name)
    items = []
    for number in distances:
        starts = sorted(range(1, length + 1), key=lambda start: hash64(task, str(number), str(start)))
        for start in starts[:_STARTS]:
            items += _later(material, task, start, number, length, names)
    return items


def _later(material: Material, task: str, start: int, number: int, length: int, names: Names) -> list[Item]:
    """What comes `number` steps after `start` in a cycle of `length`, counted from 1."""
    item = f"{task}:{start}+{number}"
    right = str((start - 1 + number) % length + 1)
    if not {right, str(start)} <= names.keys():
        material.skipped[FactReason.FEW_NAMES.about(task)] += 1
        return []
    others = sorted(names.keys() - {right}, key=lambda other: hash64("option", item, other))

    def ask(language: str, _: str) -> str:
        suite, name = material.suites[language], names[str(start)][language]
        if task == "weekday":
            return fill(suite.weekday, weekday=name, number=str(number))
        return fill(suite.month, month=name, number=str(number))

    return choice(material, item, f"{task}:{number}", right, others, names, ask)


def populations(material: Material) -> list[Item]:
    """Which of four countries of a continent has the most people; each country is the answer at most once."""
    countries = listable(material, "population")
    return [item for country in countries for item in _population(material, country, countries)]


def _population(material: Material, country: Country, countries: list[Country]) -> list[Item]:
    item = f"population:{country.code}"
    smaller = [
        other.code
        for other in ranked(country, countries, item)
        if other.continent == country.continent and other.population * _TIMES_AS_MANY <= country.population
    ]

    def ask(language: str, shown: str) -> str:
        return fill(material.suites[language].population, options=shown)

    return choice(material, item, country.code, country.code, smaller, material.subjects, ask)


def numbers(material: Material) -> list[Item]:
    """Which of four numbers in words is the largest, the second largest or the smallest."""
    names = {
        str(number): {language: suite.numbers[number] for language, suite in material.suites.items()}
        for number in next(iter(material.suites.values())).numbers
    }
    sets: list[tuple[int, ...]] = []
    for turn in range(_NUMBER_SETS):
        first, *others = sorted(names, key=lambda number: hash64("number", str(turn), number))
        four = unlike(first, others, names)
        if four is None:
            material.skipped[FactReason.FEW_NAMES.about("number")] += 1
        elif (key := tuple(sorted(map(int, four)))) in sets:
            material.skipped[FactReason.DRAWN_BEFORE.about("number")] += 1
        else:
            sets.append(key)
    return [
        item
        for four in sets
        for kind, place in (("largest", -1), ("second largest", -2), ("smallest", 0))
        for item in _number(material, four, kind, four[place], names)
    ]


def _number(material: Material, four: tuple[int, ...], kind: str, right: int, names: Names) -> list[Item]:
    group = "number:" + "-".join(map(str, four))

    def ask(language: str, shown: str) -> str:
        template: str = getattr(material.suites[language], kind.replace(" ", "_"))
        return fill(template, options=shown)

    others = [str(number) for number in four if number != right]
    return choice(material, f"{group}:{kind}", group, str(right), others, names, ask)
