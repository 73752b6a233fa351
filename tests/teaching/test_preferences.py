"""Which answers make a pair: by what they mean and how frequent they are, and by nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossin.evaluation.engine import Request
from crossin.evaluation.preparation import PreparedQuestion
from crossin.items import Question
from crossin.teaching.asked import AskedAnswer
from crossin.teaching.judging import Answer
from crossin.teaching.preferences import (
    AnswerPair,
    Candidate,
    PreferReason,
    agreed,
    candidates,
    pair_of,
)
from tests.helpers import entity_bench, small_bench


def said(*answers: tuple[str | None, str | None]) -> list[Candidate]:
    return [Candidate(meaning, 1 / len(answers), text) for meaning, text in answers]


def meaning(*answers: str | None) -> list[Candidate]:
    return said(*((one, one) for one in answers))


@pytest.mark.parametrize(
    ("answers", "share", "reason"),
    [
        ("aaab", 0.75, ""),
        ("aabb", 0.5, PreferReason.PIVOT_TIED),
        ("abbc", 0.5, ""),
        ("abbcd", 0.4, PreferReason.PIVOT_UNSURE),
        ("a", 1, ""),
    ],
)
def test_the_most_frequent_meaning_of_the_pivot_decides_where_it_is_frequent_enough(
    answers: str, share: float, reason: str
) -> None:
    found = agreed(meaning(*answers), 0.5)
    assert found.share == pytest.approx(share)
    assert found.reason == reason


def test_answers_that_cannot_be_read_count_against_the_pivot() -> None:
    assert agreed(meaning("a", "a", None, None, None), 0.5).reason == PreferReason.PIVOT_UNSURE
    assert agreed(meaning("a", "a", None, None), 0.5) == ("a", 0.5, "")
    assert agreed(meaning(None, None), 0.5).reason == PreferReason.PIVOT_UNREAD


def test_a_share_that_is_a_sum_of_fractions_reaches_its_limit() -> None:
    assert agreed(meaning(*"aaaaaaabbb"), 0.7).reason == ""


def test_the_most_frequent_text_of_each_meaning_is_taken_and_the_first_of_equals() -> None:
    answers = said(("a", " A."), ("b", " B"), ("a", " A"), ("c", " C"), ("b", " b"), ("a", " A"), ("b", " b"))
    assert pair_of("a", answers) == AnswerPair(" A", " b")
    assert pair_of("b", answers) == AnswerPair(" b", " A")
    assert pair_of("c", answers) == AnswerPair(" C", " A")


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (meaning(None, None), PreferReason.UNREAD),
        (meaning("b", "c", None), PreferReason.NONE_AGREES),
        (meaning("a", "a"), PreferReason.ALL_AGREE),
        # What could not be read may mean the same.
        (meaning("a", None), PreferReason.ALL_AGREE),
        (said(("a", None), ("b", " B")), PreferReason.UNUSABLE),
        (said(("a", " A"), ("b", None)), PreferReason.UNUSABLE),
    ],
)
def test_without_both_answers_there_is_no_pair(answers: Sequence[Candidate], reason: str) -> None:
    assert pair_of("a", answers) == reason


def test_an_answer_that_is_not_fit_to_be_learned_gives_way_to_the_next_wrong_one() -> None:
    answers = said(("a", " A"), ("b", None), ("b", None), ("c", " C"))
    assert pair_of("a", answers) == AnswerPair(" A", " C")


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=9), st.sampled_from("abcd"))
def test_a_pair_means_the_pivots_answer_and_another(answers: list[str], pivot: str) -> None:
    found = pair_of(pivot, meaning(*answers))
    if isinstance(found, AnswerPair):
        assert found.chosen == pivot
        counts = {one: answers.count(one) for one in answers if one != pivot}
        assert counts[found.rejected] == max(counts.values())
    else:
        assert set(answers) == {pivot} or pivot not in answers


def replied(reply: str, *, cut: bool = False, entity: bool = True) -> str | None:
    """How a reply would be learned."""
    item = entity_bench.items()[0] if entity else small_bench.items()[0]
    question = PreparedQuestion(Question(item, "question", "prompt", ()), Request("prompt"))
    [found] = candidates([AskedAnswer(question, Answer("x", reply=reply), cut)], 1.0)
    return found.text


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (" Vienna", " Vienna"),
        ("\n Vienna, I think. \nQuestion: and", "\n Vienna, I think."),
        (" The answer is:\nVienna\nand more", " The answer is:\nVienna"),
        (" The answer is:", " The answer is:"),
        ("<think>Wien</think> Vienna", None),
        ("  \n", None),
    ],
)
def test_of_a_reply_about_an_entity_its_first_line_is_learned(reply: str, text: str | None) -> None:
    assert replied(reply) == text


def test_a_reply_that_was_cut_is_learned_only_where_its_first_line_ends() -> None:
    assert replied(" Vienna is the", cut=True) is None
    assert replied(" Vienna\nIt is the", cut=True) == " Vienna"
    assert replied(" B. It\nis the", cut=True, entity=False) is None


def test_another_reply_is_learned_up_to_the_next_question() -> None:
    assert replied(" B\nbecause.\nQuestion: x", entity=False) == " B\nbecause."
    assert replied(" B\nQuestion: x", cut=True, entity=False) == " B"


def scored(values: tuple[float | None, ...], best: str | None) -> list[AskedAnswer]:
    item = small_bench.items()[0]
    options = tuple(f" {text}" for text in item.options)
    question = PreparedQuestion(Question(item, "question", "prompt", options), Request("prompt", options))
    return [AskedAnswer(question, Answer(best, values=values))]


def test_scored_options_have_their_probabilities_and_the_best_is_the_models_own() -> None:
    found = candidates(scored((0.0, -1.0, None, -2.0), "red"), temperature=0.5)
    assert [one.share for one in found] == pytest.approx([0.8668, 0.1173, 0.0, 0.0159], abs=1e-4)
    assert [one.own for one in found] == [True, False, False, False]
    assert pair_of("blue", found) == AnswerPair(" blue", " red")
    assert pair_of("red", found) == PreferReason.ALL_AGREE
    assert agreed(found, 0.9).reason == PreferReason.PIVOT_UNSURE
    assert agreed(candidates(scored((None,) * 4, None), 1.0), 0.5).reason == PreferReason.PIVOT_UNREAD
