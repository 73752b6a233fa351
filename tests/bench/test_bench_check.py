from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crossin.bench.check import check_bench
from crossin.bench.seaeval import build_seaeval
from crossin.items.item import Item
from tests.helpers.errors import refused
from tests.helpers.nature_items import changed, in_free_text, small_items, write_bench
from tests.helpers.paths import REAL_DATA

DATA = REAL_DATA


def found(folder: Path, items: list[Item]) -> list[tuple[str, str, str, bool]]:
    """Reason, language, item and whether it is structural, of all findings."""
    result = check_bench(write_bench(folder, items))
    return [(one.reason, one.language, one.item, one.structural) for one in result.findings]


def test_a_sound_benchmark_has_no_findings(tmp_path: Path) -> None:
    assert found(tmp_path, small_items()) == []
    assert found(tmp_path, [in_free_text(item) for item in small_items()]) == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda item: replace(item, question=""), "empty_text:question"),
        (lambda item: replace(item, group=" "), "empty_text:group"),
        (lambda item: replace(item, options=["8", "", "20"]), "empty_text:option"),
        (lambda item: replace(item, options=["8", "16"]), "options_without_ids"),
        (lambda item: replace(item, option_ids=["A", "B", "B"]), "option_id_twice"),
        (lambda item: replace(item, answer="D"), "answer_not_an_option"),
        (lambda item: replace(item, options=["8", "16", "16."]), "options_alike"),
        (lambda item: replace(item, options=["8", "Ｘ y", "x  Y"]), "options_alike"),
        (
            lambda item: replace(item, options=["8", "16"], option_ids=["A", "B"]),
            "differs_by_language:options",
        ),
        (lambda item: replace(item, option_ids=["B", "A", "C"]), "differs_by_language:option_ids"),
        (lambda item: replace(item, answer="C"), "differs_by_language:answer"),
        (lambda item: replace(item, task="zoology"), "differs_by_language:task"),
    ],
)
def test_what_makes_an_item_another_question_is_structural(
    change: Callable[[Item], Item], reason: str, tmp_path: Path
) -> None:
    assert (reason, "vi", "q1", True) in found(tmp_path, changed("q1", "vi", change))


def test_a_language_that_an_item_lacks_and_an_item_that_is_there_twice(tmp_path: Path) -> None:
    items = [item for item in small_items() if (item.item, item.language) != ("q2", "th")]
    assert found(tmp_path, [*items, items[0]]) == [
        ("item_twice", "en", "q0", True),
        ("missing_language", "th", "q2", True),
    ]


def test_english_is_what_the_others_are_held_against_wherever_it_stands(tmp_path: Path) -> None:
    items = changed("q1", "en", lambda item: replace(item, answer="C"))
    assert {(reason, language) for reason, language, _, _ in found(tmp_path, list(reversed(items)))} >= {
        ("differs_by_language:answer", "vi"),
        ("differs_by_language:answer", "th"),
    }


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda item: replace(item, question="How many legs do 2 spiders have?"),
            "same_text:question",
        ),
        (lambda item: replace(item, question="Có bao nhiêu chân ở 3 con nhện?"), "numbers"),
        (
            lambda item: replace(item, question="Có bao nhiêu chân ở 2 con nhện? " + "Hãy đếm. " * 90),
            "length:question",
        ),
        (lambda item: replace(item, context="Nhện có tám chân."), "empty:context"),
        (
            lambda item: replace(item, question="Có bao nhiÃªu chÃ¢n á»Ÿ 2 con nhá»‡n?"),
            "broken_characters:question",
        ),
        (lambda item: replace(item, options=["tám chân", "tám chân rưỡi", "16"]), "option_in_option"),
    ],
)
def test_what_the_texts_give_away_is_about_content(
    change: Callable[[Item], Item], reason: str, tmp_path: Path
) -> None:
    findings = found(tmp_path, changed("q1", "vi", change))
    assert (reason, "q1", False) in {(code, item, structural) for code, _, item, structural in findings}
    assert not any(structural for *_, structural in findings)


def test_a_text_in_another_script_is_in_the_wrong_language(tmp_path: Path) -> None:
    items = changed("q1", "th", lambda item: replace(item, question="How many legs do 2 spiders own?"))
    assert ("wrong_script:question", "th", "q1", False) in found(tmp_path, items)


@pytest.mark.parametrize(
    ("language", "question", "sound"),
    [
        ("zh", "蜘蛛有多少条腿？", True),
        ("ja", "クモの足は何本ありますか。", True),
        ("ko", "거미는 다리가 몇 개입니까?", True),
        ("sr", "Колико ногу има паук?", True),
        ("sr", "Koliko nogu ima pauk?", False),
        ("sr-Latn", "Koliko nogu ima pauk?", True),
        ("ru", "Что такое F = m·a?", True),
        ("hi", "How many legs has it?", False),
        ("th", "F = m·a, E = m·c²", True),
    ],
)
def test_the_script_is_that_which_the_language_is_written_in(
    language: str, question: str, sound: bool, tmp_path: Path
) -> None:
    items = changed("q1", "th", lambda item: replace(item, language=language, question=question))
    reasons = {reason for reason, code, *_ in found(tmp_path, items) if code == language}
    assert ("wrong_script:question" in reasons) != sound


def test_an_item_that_was_not_translated_at_all_is_told_text_by_text(tmp_path: Path) -> None:
    english = small_items()[0]
    items = changed("q0", "vi", lambda item: replace(english, language="vi"))
    assert found(tmp_path, items) == [("same_text:question", "vi", "q0", False)]


def test_an_option_that_was_not_translated_is_told_and_a_name_is_not(tmp_path: Path) -> None:
    items = small_items()
    for language in ("en", "vi"):
        items = changed(
            "q0",
            language,
            lambda item: replace(item, options=["a very old dog", "Lima", "Republic of San Marino"]),
            items,
        )
    assert found(tmp_path, items) == [("same_text:option", "vi", "q0", False)]


def test_findings_are_counted_by_kind_and_language_with_examples(tmp_path: Path) -> None:
    broken = [replace(item, answer="Z") if item.language == "vi" else item for item in small_items()]
    broken = changed("q0", "th", lambda item: replace(item, question=small_items()[0].question), broken)
    result = check_bench(write_bench(tmp_path, broken))
    lines = result.counted()
    assert [(line["reason"], line["language"], line["count"]) for line in lines[:2]] == [
        ("answer_not_an_option", "vi", 3),
        ("differs_by_language:answer", "vi", 3),
    ]
    assert lines[0]["examples"][0] == {"item": "q0", "note": "Z"}
    assert result.structural == 6
    assert not lines[-1]["structural"]


def test_a_benchmark_without_items_is_an_error(tmp_path: Path) -> None:
    with refused("no items"):
        check_bench(write_bench(tmp_path, []))


def test_seaevals_filipino_has_broken_characters_and_its_form_is_sound(tmp_path: Path) -> None:
    if not DATA.exists():
        pytest.skip("SeaEval's files are not here")
    build_seaeval("cross-mmlu", DATA / "seaeval", tmp_path)
    result = check_bench(tmp_path)
    assert result.structural == 0
    signs = [one for one in result.findings if one.reason.startswith("broken_characters")]
    broken = {(one.item, one.language) for one in signs}
    assert ("test_36", "fil") in broken
    assert {language for _, language in broken} == {"fil"}


def test_questions_that_moved_are_found_by_what_they_say(tmp_path: Path) -> None:
    """1,012 sentences of FLORES as questions; in Vietnamese every tenth stands ten places too early."""
    folder = DATA / "flores200"
    if not folder.exists():
        pytest.skip("FLORES is not here")
    items = []
    for language in ("en", "vi"):
        lines = (folder / f"{language}.txt").read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            moved = language == "vi" and number % 10 == 0
            text = lines[(number + 10) % len(lines)] if moved else line
            items.append(
                replace(
                    small_items()[0], item=str(number), group=str(number), language=language, question=text
                )
            )
    result = check_bench(write_bench(tmp_path, items))
    moved_items = {int(one.item) for one in result.findings if one.reason in ("content", "other_row")}
    moved_on = set(range(0, len(lines), 10))
    assert len(moved_items & moved_on) >= 0.4 * len(moved_on)
    assert len(moved_items - moved_on) <= 0.01 * len(lines)


def test_how_often_guessing_is_right_is_told_by_task(tmp_path: Path) -> None:
    items = [replace(item, task="bones" if item.item == "q1" else "nature") for item in small_items()]
    guessing = check_bench(write_bench(tmp_path, items)).guessing
    assert set(guessing) == {"nature", "bones"}
    assert guessing["bones"]["chance"] == pytest.approx(1 / 3)
    # 16 and 20 are equally long, and 16 is right.
    assert guessing["bones"]["longest_option"] == pytest.approx(1 / 2)


def test_a_benchmark_that_is_not_sound_is_not_guessed_at(tmp_path: Path) -> None:
    items = changed("q1", "vi", lambda item: replace(item, answer="D"))
    assert check_bench(write_bench(tmp_path, items)).guessing == {}
    free = tmp_path / "free"
    assert check_bench(write_bench(free, [in_free_text(item) for item in small_items()])).guessing == {}


def test_numbers_and_names_that_changed_places_are_told(tmp_path: Path) -> None:
    def swapped(item: Item) -> Item:
        return replace(item, options=[item.options[1], item.options[0], item.options[2]])

    moved = ("options_swapped", "vi", "q1", False)
    assert moved in found(tmp_path / "numbers", changed("q1", "vi", swapped))
    names = changed("q1", "vi", lambda item: replace(item, options=["Oslo", "Rome", "Bonn"]))
    names = changed("q1", "en", lambda item: replace(item, options=["Rome", "Oslo", "Bonn"]), names)
    assert moved in found(tmp_path / "names", names)
    # Another number, or another way to write one, is not a change of places.
    other = changed("q1", "th", lambda item: replace(item, options=["๘", "18", "20"]))
    assert not [one for one in found(tmp_path / "other", other) if one[0] == "options_swapped"]


def test_an_item_with_one_option_is_no_question(tmp_path: Path) -> None:
    lone = [
        replace(item, options=item.options[:1], option_ids=["A"], answer="A") if item.item == "q0" else item
        for item in small_items()
    ]
    assert ("one_option", "vi", "q0", True) in found(tmp_path, lone)


@pytest.mark.parametrize(
    ("language", "hint"),
    [
        ("zho_Hans", "write zh"),
        ("", "BCP-47"),
        ("[/red]", "BCP-47"),
    ],
)
def test_a_language_is_a_code_as_cldr_spells_it(language: str, hint: str, tmp_path: Path) -> None:
    items = [replace(item, language=language) if item.language == "th" else item for item in small_items()]
    with refused(language, row=7, field="language", hint=hint):
        found(tmp_path, items)


def test_a_benchmark_that_is_not_parallel_is_said_once(tmp_path: Path) -> None:
    items = [replace(item, item=f"{item.item} {item.language}") for item in small_items()]
    result = check_bench(write_bench(tmp_path, [*items, items[0]]))
    assert [(one.reason, one.item) for one in result.findings if one.structural] == [("item_twice", "q0 en")]
    assert [note for note in result.notes if "not parallel" in note] == [result.notes[0]]
    assert check_bench(write_bench(tmp_path, items)).structural == 0
