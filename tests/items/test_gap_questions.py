"""How an item with a gap is asked: its whole sentence is scored, or it is shown with its gap."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossin.evaluation import prepare
from crossin.items import Form, Item, Question, questions
from crossin.items.item import faults
from tests.helpers.asked_items import item
from tests.helpers.errors import refused
from tests.helpers.gap_items import gap_item, gap_items, write_gap_bench


def ask(one: Item, *shots: Item, **form: Any) -> Question:
    (asked,) = questions([one], Form(shots=len(shots), **form), shots=shots)
    return asked


@pytest.mark.parametrize(
    ("name", "language", "first"),
    [
        ("river", "en", "The river Olm flows into Lake Tarn."),
        ("river", "tr", "Olm ırmağı Tarn Gölü'na dökülür."),
        ("river", "th", "แม่น้ำโอล์มไหลลงสู่ทะเลสาบทาร์นเสมอ"),
        ("river", "zh", "奥尔姆河流入塔恩湖。"),
        ("capital", "en", "Havel is the capital of Norland."),
        ("capital", "tr", "Havel, Norland'ın başkentidir."),
        ("work", "th", "ลีนา ควิสต์ทำงานเป็นคนทำขนมปังในฮาเวล"),
    ],
)
def test_each_option_is_the_whole_sentence_as_it_is_written(name: str, language: str, first: str) -> None:
    asked = ask(gap_item(name, language))
    assert (asked.prompt, asked.options[0], len(asked.options)) == ("", first, 3)
    assert (asked.shown, asked.cue, asked.stop) == ((), "", ())


def test_an_option_may_hold_anything() -> None:
    one = replace(gap_item(), options=[r"\1 (a|b)*", "____", "{question}"])
    assert ask(one).options == (
        r"The river Olm flows into \1 (a|b)*.",
        "The river Olm flows into ____.",
        "The river Olm flows into {question}.",
    )


def test_no_wording_applies_and_the_sentence_is_asked_once() -> None:
    asked = questions([gap_item()], Form(wordings=("asked", "plain")))
    assert [(one.wording, one.prompt) for one in asked] == [("asked", "")]


def test_a_language_without_words_can_be_asked() -> None:
    one = replace(gap_item(), language="sv", question="Älven Olm rinner ut i ____.")
    assert ask(one).options[0] == "Älven Olm rinner ut i Lake Tarn."


def test_beside_items_without_a_gap_it_is_asked_in_every_wording_so_that_all_are_scored() -> None:
    asked = questions([gap_item(), item()], Form(wordings=("question", "plain")))
    assert [(one.item.item, one.wording) for one in asked] == [
        ("river", "question"),
        ("river", "plain"),
        ("sky", "question"),
        ("sky", "plain"),
    ]
    assert (asked[0].prompt, asked[0].options) == (asked[1].prompt, asked[1].options)


def test_a_context_is_the_line_before_the_sentence() -> None:
    asked = ask(replace(gap_item(), context="Rivers of Norland."))
    assert asked.prompt == "Rivers of Norland.\n"
    assert asked.options[0] == "The river Olm flows into Lake Tarn."


def test_shots_are_filled_sentences_one_a_paragraph() -> None:
    shots = [gap_item("capital"), replace(gap_item("work"), context="People.", answer="o2")]
    asked = ask(gap_item(), *shots)
    assert set(str(asked.prompt).split("\n\n")) == {
        "Havel is the capital of Norland.",
        "People.\nLena Quist works as a judge in Havel.",
        "",
    }
    assert asked.options[0] == "The river Olm flows into Lake Tarn."


@pytest.mark.parametrize("kind", ["text", "letters", "generate"])
def test_shots_have_a_gap_too(kind: str) -> None:
    with refused("1 multiple-choice gap shots", "0 of 0", field="shots"):
        ask(gap_item(), item("snow"), kind=kind)
    with refused("1 multiple-choice shots", "0 of 0", field="shots"):
        ask(item(), gap_item(), kind=kind)


def test_a_list_of_options_is_asked_with_the_gap_in_sight() -> None:
    shown = "The river Olm flows into ____.\nA. Lake Tarn\nB. the Grey Sea\nC. Lake Brum"
    for kind in ("letters", "generate"):
        assert ask(gap_item(), kind=kind).prompt == f"Question: {shown}\nAnswer:"
        assert ask(gap_item(), kind=kind, chat=True).prompt == (("user", f"Question: {shown}"),)
    assert ask(gap_item(), kind="letters").options == (" A", " B", " C")


def test_a_chat_is_asked_with_the_gap_in_sight_and_answers_what_fills_it() -> None:
    asked = ask(gap_item("capital", "tr"), gap_item("work", "tr"), chat=True, wordings=["plain"])
    assert asked.prompt == (
        ("user", "Lena Quist, Havel'de ____ olarak çalışır."),
        ("assistant", "fırıncı"),
        ("user", "____, Norland'ın başkentidir."),
    )
    assert asked.options == ("Havel", "Tomar", "Brink")


@pytest.mark.parametrize("kind", ["text", "letters", "generate"])
def test_in_free_text_the_gap_is_shown_in_every_kind(kind: str) -> None:
    asked = ask(gap_item("work", free_text=True), gap_item("capital", free_text=True), kind=kind)
    assert asked.prompt == (
        "Question: ____ is the capital of Norland.\nAnswer: Havel\n\n"
        "Question: Lena Quist works as a ____ in Havel.\nAnswer:"
    )
    assert asked.options == ()


def test_in_free_text_a_sentence_that_ends_in_its_gap_is_gone_on_with() -> None:
    asked = ask(gap_item("river", "zh", free_text=True), gap_item("work", "zh", free_text=True))
    assert asked.prompt == "莱娜在哈维尔当面包师。\n\n奥尔姆河流入"
    # No words are needed, so any language will do; the answer is the rest of the line.
    one = replace(gap_item(free_text=True), language="fa", question="پایتخت نورلند: ____")
    asked = ask(one)
    assert (asked.prompt, asked.options, asked.stop) == ("پایتخت نورلند:", (), ("\n",))


def test_in_a_chat_free_text_is_asked_by_what_stands_before_its_gap() -> None:
    asked = ask(gap_item("river", "zh", free_text=True), gap_item("work", "zh", free_text=True), chat=True)
    assert asked.prompt == (
        ("user", "问题：莱娜在哈维尔当"),
        ("assistant", "面包师"),
        ("user", "问题：奥尔姆河流入"),
    )
    # Inside the question, the gap is shown.
    assert ask(gap_item("work", free_text=True), chat=True).prompt == (
        ("user", "Question: Lena Quist works as a ____ in Havel."),
    )


def test_a_sentence_has_no_options_without_it(tmp_path: Path) -> None:
    bench = write_gap_bench(tmp_path)
    with refused("sentence", "--choice bare", field="choice", hint="sum, token or byte"):
        prepare(bench, form=Form(), choice="bare")
    # A letter has a cue of its own.
    assert prepare(bench, form=Form(kind="letters"), choice="bare").questions[0].bare is not None


def test_a_gap_must_be_there_once_and_in_every_language(tmp_path: Path) -> None:
    for question in ("No gap at all.", "____ and ____."):
        assert [one.reason for one in faults(replace(gap_item(), question=question))] == ["gap"]
    items = [replace(one, gap="") if one.language == "tr" else one for one in gap_items()]
    with refused("item 'river'", field="gap"):
        prepare(write_gap_bench(tmp_path, items), form=Form())
