"""What answers mean, and whether they agree."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from crossin.evaluation.preparation import with_request
from crossin.items import Form, Item, questions
from crossin.teaching.judging import Answer, Judgement, answer_of, judge, number_text
from tests.helpers import small_bench

FREE = replace(next(one for one in small_bench.items() if one.item == "name"), answer="")
OPTIONS = replace(next(one for one in small_bench.items() if one.item == "sky"), answer="")


def read(reply: str, *, item: Item = FREE, whole: bool = False, cut: bool = False) -> Answer:
    """The answer in a reply to an item."""
    [question] = questions([item], Form(kind="generate"))
    found = {"text": reply, "cut": cut, "failed": [], "computed": 0, "saved": 0}
    return answer_of(with_request(question, Form(kind="generate")), found, None, "sum", {}, whole=whole)


def judgement(
    *replies: str, agreement: float = 0.75, similarity: float = 1.0, item: Item = FREE
) -> Judgement:
    answers = [read(reply, item=item) for reply in replies]
    return judge(item, answers, agreement=agreement, margin=1.0, similarity=similarity)


def scored(*values: tuple[float, float, float, float], margin: float = 1.0) -> Judgement:
    """The judgement of answers with these values of the options red, green, blue and black."""
    answers = [Answer(small_bench.IDS[one.index(max(one))], values=one) for one in values]
    return judge(OPTIONS, answers, agreement=0.75, margin=margin, similarity=1.0)


def test_texts_that_differ_in_case_and_punctuation_mean_the_same() -> None:
    found = judgement("Vienna.", "vienna", "Vienna\nIt is old.")
    assert (found.reason, found.text, found.agreement) == ("", "Vienna.", 1.0)


def test_longer_texts_are_similar_by_their_words_where_that_is_asked_for() -> None:
    replies = ("The old town of Vienna", "The very old town of Vienna", "Graz")
    assert judgement(*replies, agreement=0.6).reason == "answers_disagree"
    found = judgement(*replies, agreement=0.6, similarity=0.9)
    assert (found.reason, found.text) == ("", "The old town of Vienna")
    assert (
        judgement("It is Paris", "It is London", agreement=0.6, similarity=0.7).reason == "answers_disagree"
    )


def test_too_few_answers_that_can_be_read_are_a_reason_of_their_own() -> None:
    assert judgement("Vienna", "", "Vienna").reason == "unread_answers:empty_reply"
    assert judgement("", "<think>who", "").reason == "unread_answers:empty_reply"
    assert judgement("Vienna", "Graz", "Vienna").reason == "answers_disagree"


@pytest.mark.parametrize(
    ("agreement", "reason"), [(0.75, ""), (0.76, "answers_disagree"), (1.0, "answers_disagree")]
)
def test_a_share_that_is_just_reached_is_enough(agreement: float, reason: str) -> None:
    assert judgement("Vienna", "Vienna", "Vienna", "Graz", agreement=agreement).reason == reason


def test_the_margin_is_the_mean_over_the_answers_to_the_best_other_option() -> None:
    found = scored((0.0, -1.0, -2.0, -3.0), (-1.0, -4.0, -3.0, -9.0))
    assert (found.meaning, found.margin, found.reason) == ("red", 1.5, "")
    assert scored((0.0, -1.0, -2.0, -3.0), (-1.0, -4.0, -3.0, -9.0), margin=1.6).reason == "small_margin"
    # An answer that prefers another option counts against it.
    mixed = scored(*[(0.0, -4.0, -4.0, -4.0)] * 3, (-8.0, 0.0, -9.0, -9.0))
    assert (mixed.agreement, mixed.margin, mixed.reason) == (0.75, 1.0, "")


def test_numbers_are_compared_by_value_and_taught_in_digits() -> None:
    number = replace(FREE, answer_type="number")
    found = judgement("The answer is 1,250.", "1250", "So 1250.0 apples", item=number)
    assert (found.reason, found.text) == ("", "1250")
    assert read("none", item=number).unread == "no_number"


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("12", "12"),
        ("7/2", "3.5"),
        ("-1/8", "-0.125"),
        ("1/20", "0.05"),
        ("1/3", "1/3"),
        ("-5/6", "-5/6"),
        ("1001/1000", "1.001"),
    ],
)
def test_a_fraction_is_written_as_a_decimal_number_where_it_ends(number: str, text: str) -> None:
    assert number_text(number) == text
    assert Fraction(text) == Fraction(number)


def test_of_an_instruction_the_whole_reply_is_taught_and_none_that_was_cut() -> None:
    assert read("One.\n\nTwo.", whole=True).text == "One.\n\nTwo."
    assert read("One.\n\nTwo.").text == "One."
    assert read("One.", whole=True, cut=True).unread == "reply_cut"
    assert read("<think>hm</think>One.", whole=True).text == "One."
    assert read("<think>hm", whole=True).unread == "thought_cut"


def test_a_reply_that_names_no_option_or_two_is_not_an_answer() -> None:
    listed = [read(reply, item=OPTIONS) for reply in ("C", "blue", "blue or green", "I cannot say")]
    assert [one.meaning for one in listed] == ["blue", "blue", None, None]
    assert {one.unread for one in listed[2:]} == {"no_option"}
