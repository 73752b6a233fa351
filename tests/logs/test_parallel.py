from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy
import pytest

from crossin.items import Item
from crossin.logs.parallel import left_out_items
from tests.bench.test_order_check import WORDS, told
from tests.helpers.errors import refused

COUNT = 120


def items(language: str, golds: str = "ABCD", order: list[int] | None = None) -> list[Item]:
    """Items of four words and four options; `order` is which question stands where."""
    random = numpy.random.default_rng(7)
    made = []
    for number in range(COUNT):
        words = random.permutation(len(WORDS[language])).tolist()
        made.append(
            (
                told(language, words[:4]),
                [told(language, [word]) for word in words[4:8]],
                golds[number % len(golds)],
            )
        )
    return [
        Item(
            item=str(place),
            group=str(place),
            task="quiz",
            language=language,
            context="",
            question=made[number][0],
            options=made[number][1],
            option_ids=list("ABCD"),
            answer=made[number][2],
            source="",
            licence="",
        )
        for place, number in enumerate(order or range(COUNT))
    ]


def left_out(*languages: list[Item]) -> dict[str, str]:
    return left_out_items(
        [item for asked in languages for item in asked],
        "the position of their documents",
        lambda language, item: (Path(f"{language}.jsonl"), int(item) + 1),
    )


def test_parallel_languages_lose_nothing() -> None:
    assert left_out(items("en"), items("et"), items("ja")) == {}


def test_one_language_and_languages_of_few_items_are_not_compared_by_content() -> None:
    assert left_out(items("en")) == {}
    assert left_out(items("en")[:4], items("et")[:4]) == {}


def test_single_items_with_another_gold_or_other_options_are_left_out() -> None:
    other = items("ja")
    other[3] = replace(other[3], answer="A")
    other[8] = replace(other[8], options=other[8].options[:3], option_ids=list("ABC"))
    assert left_out(items("en"), items("et"), other) == {
        "3": "other_right_option:ja",
        "8": "other_number_of_options:ja",
    }


def test_golds_of_other_rows_are_refused_whatever_the_texts() -> None:
    shuffled = numpy.random.default_rng(1).permutation(COUNT).tolist()
    other = [replace(item, question="?") for item in items("et", order=shuffled)]
    with refused("et", "position", "of 120", "beyond chance", file="et.jsonl", hint="folder of their own"):
        left_out(items("en"), other)


@pytest.mark.parametrize("moved", [1, -2])
def test_rows_that_have_slipped_are_seen_by_their_texts_where_all_golds_are_alike(moved: int) -> None:
    slipped = [(place + moved) % COUNT for place in range(COUNT)]
    words = ("later", "earlier")
    with refused("et", f"{abs(moved)} rows", file="et.jsonl") as caught:
        left_out(items("en", "A"), items("et", "A", slipped))
    assert any(word in str(caught.value) for word in words)


def test_shuffled_rows_are_seen_by_their_texts_where_all_golds_are_alike() -> None:
    shuffled = numpy.random.default_rng(1).permutation(COUNT).tolist()
    with refused("et", "other documents", file="et.jsonl"):
        left_out(items("en", "A"), items("et", "A", shuffled))


def test_some_rows_that_changed_places_are_left_out() -> None:
    order = list(range(COUNT))
    order[10:14] = [13, 12, 11, 10]
    found = left_out(items("en", "A"), items("et", "A", order))
    assert found == {str(place): "other_document:et" for place in range(10, 14)}


def test_options_in_another_order_are_refused() -> None:
    turned = [
        replace(item, options=[*item.options[:1], *reversed(item.options[1:])]) for item in items("et", "A")
    ]
    with refused("options", "another order", "et", file="et.jsonl"):
        left_out(items("en", "A"), turned)


def test_languages_without_a_common_document_are_refused() -> None:
    others = [replace(item, item=f"1{item.item}000") for item in items("et")]
    with refused("no document of en", "position", file="en.jsonl"):
        left_out(items("en"), others)


def test_numbers_are_golds_by_their_value() -> None:
    def sums(language: str, golds: list[str]) -> list[Item]:
        return [
            replace(item, options=[], option_ids=[], answer=gold, answer_type="number")
            for item, gold in zip(items(language), golds, strict=False)
        ]

    golds = [str(1000 + number) for number in range(COUNT)]
    written = [f"{gold[0]},{gold[1:]}" for gold in golds]
    assert left_out(sums("en", golds), sums("et", written)) == {}
    assert left_out(sums("en", golds), sums("et", [*written[:-1], "7"])) == {"119": "other_right_option:et"}
    with refused("et", file="et.jsonl"):
        left_out(sums("en", golds), sums("et", [*golds[1:], golds[0]]))
