"""What a question looks like, form by form: read as specification."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from crossin.items import Form, Question, questions
from crossin.items.item import Item
from tests.helpers.asked_items import SNOW, item, numbered
from tests.helpers.errors import refused


def ask(one: Item, *shots: Item, **form: Any) -> Question:
    (asked,) = questions([one], Form(shots=len(shots), **form), shots=shots)
    return asked


def test_full_texts_follow_the_languages_own_prompt() -> None:
    asked = ask(item())
    assert asked.prompt == "Question: Which colour has the sky?\nAnswer:"
    assert asked.options == (" blue", " red", " green")
    assert (asked.shown, asked.cue) == ((), "Answer:")


def test_chinese_has_nothing_between_prompt_and_answer() -> None:
    asked = ask(item(language="zh"))
    assert asked.prompt == "问题：天空是什么颜色？\n答案："
    assert asked.options == ("蓝色", "红色", "绿色")
    assert asked.cue == "答案："


def test_arabic_is_asked_in_arabic() -> None:
    asked = ask(item(language="ar"), wordings=["asked"])
    assert asked.prompt == "أجب باللغة العربية.\nالسؤال: ما لون السماء؟\nالإجابة:"
    assert asked.options[0] == " أزرق"


def test_the_context_is_a_line_before_the_question() -> None:
    asked = ask(item(context="It is noon."))
    assert asked.prompt == "Question: It is noon.\nWhich colour has the sky?\nAnswer:"


def test_the_three_wordings_of_one_item() -> None:
    asked = questions([item()], Form(wordings=("question", "plain", "asked")))
    assert {one.wording: one.prompt for one in asked} == {
        "question": "Question: Which colour has the sky?\nAnswer:",
        "plain": "Which colour has the sky?\n",
        "asked": "Answer in English.\nQuestion: Which colour has the sky?\nAnswer:",
    }
    assert [one.options[0] for one in asked] == [" blue", "blue", " blue"]
    assert [one.cue for one in asked] == ["Answer:", "", "Answer:"]


def test_items_come_in_their_order_and_each_in_all_its_wordings() -> None:
    asked = questions([item("b"), item("a"), item("a", "zh")], Form(wordings=("plain", "question")))
    assert [(one.item.item, one.item.language, one.wording) for one in asked] == [
        ("b", "en", "plain"),
        ("b", "en", "question"),
        ("a", "en", "plain"),
        ("a", "en", "question"),
        ("a", "zh", "plain"),
        ("a", "zh", "question"),
    ]


def test_letters_stand_for_the_options_listed_behind_the_question() -> None:
    asked = ask(item(language="zh"), kind="letters")
    assert asked.prompt == "问题：天空是什么颜色？\nA. 蓝色\nB. 红色\nC. 绿色\n答案："
    assert asked.options == ("A", "B", "C")
    assert asked.shown == (0, 1, 2)


def test_a_reply_ends_before_an_empty_line_or_the_next_question() -> None:
    assert ask(item(), kind="generate").stop == ("\n\n", "\nQuestion:")
    assert ask(item(free_text=True)).stop == ("\n\n", "\nQuestion:")
    assert ask(item(), kind="generate", wordings=["plain"]).stop == ("\n\n",)
    # Where options are scored there is no reply, and a chat knows its end.
    assert ask(item()).stop == ask(item(), kind="generate", chat=True).stop == ()


def test_a_rotated_list_keeps_the_letters_with_their_options() -> None:
    turned = [ask(item(f"sky{number}"), kind="letters", order="rotated") for number in range(20)]
    # The list begins at green, the third option of the item: green is A, blue is B, red is C.
    asked = next(one for one in turned if one.shown == (2, 0, 1))
    assert asked.prompt == "Question: Which colour has the sky?\nA. green\nB. blue\nC. red\nAnswer:"
    assert asked.options == (" B", " C", " A")


def test_rotation_is_the_same_in_every_run() -> None:
    items = [item(language=language) for language in ("en", "zh", "ar", "sv")]
    asked = questions(items, Form(kind="letters", order="rotated", wordings=("plain",)))
    assert [one.shown[0] for one in asked] == [1, 2, 1, 2]


def test_rotation_differs_between_languages_and_items_and_is_even() -> None:
    items = [one for language in ("en", "zh") for one in numbered("q", 200, language)]
    asked = questions(items, Form(kind="letters", order="rotated"))
    first = [one.shown[0] for one in asked]
    english, chinese = first[:200], first[200:]
    assert 60 < sum(a == b for a, b in zip(english, chinese, strict=True)) < 140
    assert 60 < sum(english) < 140


def test_generation_lists_the_options_and_scores_none() -> None:
    asked = ask(item(), kind="generate")
    assert asked.prompt == "Question: Which colour has the sky?\nA. blue\nB. red\nC. green\nAnswer:"
    assert asked.options == ()
    assert asked.shown == (0, 1, 2)


@pytest.mark.parametrize("kind", ["text", "letters", "generate"])
def test_an_item_in_free_text_is_the_question_alone_in_every_kind(kind: str) -> None:
    asked = ask(item(free_text=True), kind=kind)
    assert asked.prompt == "Question: Which colour has the sky?\nAnswer:"
    assert (asked.options, asked.shown) == ((), ())


def test_shots_come_before_the_question_with_their_answers() -> None:
    asked = ask(item(), item("snow", "en", *SNOW["en"]))
    assert asked.prompt == (
        "Question: Which colour has snow?\nAnswer: white\n\nQuestion: Which colour has the sky?\nAnswer:"
    )


def test_shots_answer_with_the_letter_of_their_own_list() -> None:
    snow = item("snow", "zh", *SNOW["zh"])
    expected = (
        "问题：雪是什么颜色？\nA. 白色\nB. 黑色\nC. 蓝色\n答案：B\n\n"
        "问题：天空是什么颜色？\nA. 蓝色\nB. 红色\nC. 绿色\n答案："
    )
    for kind in ("letters", "generate"):
        assert ask(item(language="zh"), replace(snow, answer="o1"), kind=kind).prompt == expected


def test_shots_in_free_text_answer_with_their_reference() -> None:
    asked = ask(item(free_text=True), item("snow", "en", *SNOW["en"], free_text=True), kind="letters")
    assert asked.prompt == (
        "Question: Which colour has snow?\nAnswer: white\n\nQuestion: Which colour has the sky?\nAnswer:"
    )


def test_a_chat_has_shots_as_turns_and_no_words_that_call_for_the_answer() -> None:
    asked = ask(item(), item("snow", "en", *SNOW["en"]), kind="letters", wordings=["asked"], chat=True)
    assert asked.prompt == (
        ("user", "Answer in English.\nQuestion: Which colour has snow?\nA. white\nB. black\nC. blue"),
        ("assistant", "A"),
        ("user", "Answer in English.\nQuestion: Which colour has the sky?\nA. blue\nB. red\nC. green"),
    )
    assert asked.options == ("A", "B", "C")
    assert asked.cue == ""


def test_a_plain_chat_is_the_question_alone() -> None:
    asked = ask(item(language="lb"), wordings=["plain"], chat=True)
    assert asked.prompt == (("user", "Wéi eng Faarf huet den Himmel?"),)
    assert asked.options == ("blo", "rout", "gréng")


def test_a_language_without_phrases_is_asked_plainly_or_not_at_all() -> None:
    assert ask(item(language="lb"), wordings=["plain"]).prompt == "Wéi eng Faarf huet den Himmel?\n"
    for name in ("question", "asked"):
        with refused("no phrases", "lb", name, "add-a-language", field="language", hint="--wordings plain"):
            questions([item(), item(language="lb")], Form(wordings=("plain", name)))


def test_a_language_without_questions_about_facts_has_its_own_words() -> None:
    assert ask(item(language="sv"), wordings=["asked"]).prompt == (
        "Svara på svenska.\nFråga: Vilken färg har himlen?\nSvar:"
    )


def test_an_unknown_wording_is_told_the_three() -> None:
    with refused("poem", field="wordings", hint="question, plain, asked"):
        ask(item(), wordings=["poem"])


def test_a_wording_named_twice_would_be_asked_twice() -> None:
    with refused("duplicate", field="wordings"):
        ask(item(), wordings=["plain", "plain"])


def test_there_are_26_letters() -> None:
    options = [f"option {number}" for number in range(27)]
    assert ask(item("wide", "en", "Which?", *options[:26]), kind="letters").options[-1] == " Z"
    assert len(ask(item("wide", "en", "Which?", *options)).options) == 27
    for kind in ("letters", "generate"):
        with refused("item 'wide'", "27 options", field="options"):
            ask(item("wide", "en", "Which?", *options), kind=kind)
