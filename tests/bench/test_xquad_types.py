from __future__ import annotations

import pytest

from crossin.bench.xquad.answer_types import AnswerType, answer_type, distance


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("In what year did the mill open?", "1871", AnswerType.DATE),
        ("When did the mill open?", "after the war", AnswerType.DATE),
        ("What was signed?", "the treaty of May 1871", AnswerType.DATE),
        ("What is near when he was young?", "a mill", AnswerType.PHRASE),
        ("How many people live there?", "1871", AnswerType.NUMBER),
        ("How long did it take?", "two years", AnswerType.NUMBER),
        ("What share was sold?", "12%", AnswerType.PERCENT),
        ("What did it cost?", "£30m", AnswerType.MONEY),
        ("Who opened the mill?", "Ada van Bloom", AnswerType.PERSON),
        ("Who opened the mill?", "local farmers", AnswerType.PHRASE),
        ("In which Dutch city is it?", "Delft", AnswerType.PLACE),
        ("What is the mill called?", "The Old Lady of Delft", AnswerType.NAME),
        ("Who are Queen fans?", "Three Kings", AnswerType.PERSON),
        ("Why was it closed?", "lack of wind", AnswerType.CLAUSE),
        ("What did they do?", "sold the mill to a cousin of theirs", AnswerType.CLAUSE),
        ("What drove it?", "wind", AnswerType.PHRASE),
    ],
)
def test_the_type_is_told_from_the_answer_and_the_question(
    question: str, answer: str, expected: AnswerType
) -> None:
    assert answer_type(question, answer) is expected


def test_distance_is_zero_to_itself_and_the_same_both_ways() -> None:
    for one in AnswerType:
        assert distance(one, one) == 0
        for other in AnswerType:
            assert distance(one, other) == distance(other, one) <= 1


def test_a_figure_is_further_from_a_word_than_from_a_figure() -> None:
    to_date = distance(AnswerType.NUMBER, AnswerType.DATE)
    assert 0 < to_date < distance(AnswerType.NUMBER, AnswerType.PHRASE) == 1
    assert distance(AnswerType.PERSON, AnswerType.PLACE) < distance(AnswerType.PERSON, AnswerType.PHRASE) < 1
