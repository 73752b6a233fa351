from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.bench.heuristics import guesses, hardness
from crossin.items.item import Item
from tests.helpers.errors import refused


def item(
    options: list[str], answer: int = 0, *, question: str = "?", context: str = "", language: str = "en"
) -> Item:
    ids = [str(place) for place in range(len(options))]
    return Item(
        "i", "g", "reading", language, context, question, options, ids, str(answer), "made", "CC0-1.0"
    )


def chance(heuristic: str, *items: Item) -> list[float]:
    return guesses(items)[heuristic]


def test_the_longest_and_the_shortest_option_are_picked_by_their_characters() -> None:
    long, short = item(["four", "two", "eleven"], 2), item(["four", "two", "eleven"], 1)
    assert chance("longest_option", long, short) == [1, 0]
    assert chance("shortest_option", long, short) == [0, 1]


def test_of_equally_good_options_the_right_one_counts_as_its_share() -> None:
    assert chance("longest_option", item(["one", "two", "six", "9"])) == [pytest.approx(1 / 3)]
    assert chance("longest_option", item(["one", "two", "six", "9"], 3)) == [0]


def test_nearest_to_the_question_is_the_largest_share_of_an_options_trigrams() -> None:
    question = "Which river passes Paris?"
    assert chance("nearest_to_question", item(["Paris", "the Seine"], 0, question=question)) == [1]
    assert chance("nearest_to_question", item(["Paris", "the Seine"], 1, question=question)) == [0]
    # Of its 23 trigrams the longer option shares more, but a smaller part.
    options = ["river", "a river that no one has passed"]
    assert chance("nearest_to_question", item(options, 0, question=question)) == [1]


def test_the_most_frequent_position_is_that_of_most_right_answers() -> None:
    items = [item(["a", "b"], 1), item(["a", "b"], 1), item(["a", "b"], 0)]
    assert chance("most_frequent_position", *items) == [1, 1, 0]


def test_the_paragraph_is_searched_for_the_first_and_the_most_frequent_option() -> None:
    context = "Ann met Bob. Bob met Cy. Cy met Bob."
    options = ["Cy", "Bob", "Ann", "Dan"]
    by_answer = [item(options, place, context=context) for place in range(4)]
    assert chance("first_in_context", *by_answer) == [0, 0, 1, 0]
    assert chance("most_often_in_context", *by_answer) == [0, 1, 0, 0]


def test_the_neighbourhood_reads_around_every_occurrence_of_an_option() -> None:
    far = " and nothing else happened on that day" * 4
    context = f"In 1871 a mill opened{far}. In 1902 the bridge was built{far}. In 1871 it rained."
    question = "When was the bridge built?"
    options = ["1902", "1871"]
    name = "nearest_neighbourhood"
    assert chance(name, item(options, 0, context=context, question=question)) == [1]
    assert chance(name, item(options, 0, context=context, question="When did it rain?")) == [0]


def test_without_a_paragraph_nothing_is_said_of_it() -> None:
    assert set(guesses([item(["a", "b"])])) == {
        "most_frequent_position", "longest_option", "shortest_option", "nearest_to_question",
    }  # fmt: skip


def test_accuracy_is_told_by_language_and_for_their_mean() -> None:
    items = [
        item(["long", "s"], 0, language="en"),
        item(["long", "s"], 1, language="en"),
        item(["long", "s"], 0, language="vi"),
    ]
    assert hardness(items)["longest_option"] == {"en": 0.5, "vi": 1.0, "mean": 0.75}


def test_items_answered_in_free_text_do_not_count() -> None:
    free = Item("f", "g", "generation", "en", "", "?", [], [], "text", "made", "CC0-1.0")
    assert hardness([free, item(["long", "s"])])["longest_option"]["en"] == 1
    with refused("no items with options"):
        hardness([free])


@given(st.lists(st.text("abc ", min_size=1, max_size=6), min_size=2, max_size=5), st.data())
def test_the_chances_of_all_options_of_an_item_sum_to_one(options: list[str], data: st.DataObject) -> None:
    context = data.draw(st.text("abc ", min_size=1, max_size=30))
    question = data.draw(st.text("abc ", min_size=1, max_size=10))
    sums: dict[str, float] = {}
    for place in range(len(options)):
        for name, (hit,) in guesses([item(options, place, context=context, question=question)]).items():
            sums[name] = sums.get(name, 0) + hit
    del sums["most_frequent_position"]
    assert sums == pytest.approx(dict.fromkeys(sums, 1.0))
