"""Items of a language that are one text have one gold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crossin.bench.catalogue import build_named
from crossin.bench.check import check_bench
from crossin.bench.golds import number_of, same_as_text
from crossin.items.item import Item
from tests.helpers.mapping_files import jsonl, own
from tests.helpers.nature_items import small_items, write_bench

TWO = "two_golds"


def rivers(**german: str) -> list[Item]:
    """Two items in English and German; `german` replaces the second German item's texts."""
    base = replace(small_items()[0], options=["the Rhine", "the Po", "the Don"], answer="A")
    first = replace(base, item="r1", group="r1", question="Which river passes Basel?")
    second = replace(base, item="r2", group="r2", question="Which river passes Turin?", answer="B")
    of = {"language": "de", "options": ["der Rhein", "der Po", "der Don"]}
    merged = {"question": "Welcher Fluss fließt durch die Stadt?", **of}
    return [first, second, replace(first, **merged), replace(second, **{**merged, **german})]  # type: ignore[arg-type]


def reasons(folder: Path, items: list[Item]) -> set[tuple[str, str, str, bool]]:
    found = check_bench(write_bench(folder, items)).findings
    return {(one.reason, one.language, one.item, one.structural) for one in found}


BOTH = {(TWO, "de", "r1", True), (TWO, "de", "r2", True)}


@pytest.mark.parametrize(
    "question",
    [
        "Welcher Fluss fließt durch die Stadt?",
        "welcher Fluss  fließt durch die STADT ?",
        "Welcher Fluss fließt durch die Stadt…",
        "Welcher Fluss, fließt durch „die Stadt“?",
        "Ｗelcher Fluss fließt\u00a0durch die\u200b Stadt?",
    ],
)
def test_one_text_with_two_golds_is_structural_however_it_is_set(question: str, tmp_path: Path) -> None:
    assert reasons(tmp_path, rivers(question=question)) >= BOTH


def test_the_order_of_the_options_says_nothing(tmp_path: Path) -> None:
    items = rivers()
    items[1] = replace(items[1], options=["the Po", "the Rhine", "the Don"], answer="A")
    items[3] = replace(items[3], options=["der Po", "der Rhein", "der Don"], answer="A")
    assert reasons(tmp_path, items) >= BOTH


def test_another_paragraph_is_another_question(tmp_path: Path) -> None:
    items = rivers(context="Turin liegt am Po.")
    assert not [one for one in reasons(tmp_path, items) if one[0] == TWO]


def test_the_same_gold_twice_is_no_contradiction(tmp_path: Path) -> None:
    items = [replace(item, answer="A") for item in rivers()]
    assert not [one for one in reasons(tmp_path, items) if one[0] == TWO]


def test_symbols_and_numbers_keep_what_tells_them_apart() -> None:
    assert same_as_text("What is CO?") != same_as_text("What is Co?")
    assert same_as_text("f(1,2)") != same_as_text("f(12)")
    assert same_as_text("3-2") != same_as_text("3+2")
    assert same_as_text("What is HELIUM?") == same_as_text("what is helium")


def test_other_options_that_hold_the_other_gold_are_a_sign(tmp_path: Path) -> None:
    items = rivers(question="Welcher Fluss fließt durch die Stadt?")
    items = [
        replace(item, options=[item.options[1], item.options[0], "der Nil"], answer="A")
        if (item.item, item.language) == ("r2", "de")
        else item
        for item in items
    ]
    found = reasons(tmp_path, items)
    assert ("right_elsewhere", "de", "r1", False) in found
    assert not [one for one in found if one[0] == TWO]


def free(*golds: str, question: str = "Which language is spoken in Bern?", kind: str = "text") -> list[Item]:
    base = replace(small_items()[0], options=[], option_ids=[], answer_type=kind)  # type: ignore[arg-type]
    return [
        replace(
            base,
            item=f"{number}",
            group=f"{number}",
            language=language,
            answer=gold,
            question=f"{question} {language}",
        )
        for language in ("en", "fr")
        for number, gold in enumerate(golds)
    ]


def test_several_references_in_every_language_are_a_sign(tmp_path: Path) -> None:
    found = reasons(tmp_path, free("German", "French"))
    assert {
        (reason, structural) for reason, *_, structural in found if "ref" in reason or "gold" in reason
    } == {("other_reference", False)}


def test_a_sum_has_one_result(tmp_path: Path) -> None:
    found = reasons(tmp_path, free("12", "13", question="How many are 6 and 6?", kind="number"))
    assert (TWO, "fr", "1", True) in found
    assert not [one for one in reasons(tmp_path, free("1200", "1,200", kind="number")) if one[0] == TWO]


def test_a_question_that_one_language_does_not_tell_from_another_has_two_golds(tmp_path: Path) -> None:
    items = free("German", "French")
    items[0] = replace(items[0], question="Which language is spoken in the city of Bern?")
    assert {one for one in reasons(tmp_path, items) if one[0] == TWO} == {
        (TWO, "fr", "0", True),
        (TWO, "fr", "1", True),
    }


def test_aliases_are_right_too(tmp_path: Path) -> None:
    items = [replace(item, aliases=["French", "German"]) for item in free("German", "French")]
    assert not [one for one in reasons(tmp_path, items) if "gold" in one[0] or "reference" in one[0]]


def test_items_that_are_one_text_with_two_golds_in_every_language_are_left_out(tmp_path: Path) -> None:
    rows = [
        {
            "key": number,
            **{f"question_{code}": f"{code} {min(number, 3)}?" for code in ("en", "vi")},
            **{f"{option}_{code}": f"{code} {option}" for code in ("en", "vi") for option in ("yes", "no")},
            "right": "B" if number == 4 else "A",
        }
        for number in range(5)
    ]
    jsonl(tmp_path / "test.jsonl", rows)
    stage = build_named(own(tmp_path), tmp_path / "out", source=tmp_path)
    assert stage.manifest["skipped"] == {TWO: 2}
    assert check_bench(tmp_path / "out").structural == 0


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("2,135", "2135", True),
        ("2.135", "2135", True),
        ("٢١٣٥", "2135", True),
        ("18.0", "18", True),
        ("-3", "3", False),
    ],
)
def test_numbers_are_compared_by_their_digits(one: str, two: str, same: bool) -> None:
    assert (number_of(one) == number_of(two)) == same
