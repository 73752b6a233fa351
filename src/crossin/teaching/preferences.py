"""Pivot preference, after CM-Align (arXiv 2509.08541): of a model's own answers in a language, one that means
what the pivot's answers agree on is preferred to one that does not. No right answer is known here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from crossin.core.reasons import Reason
from crossin.core.thoughts import holds_thought
from crossin.items.replies.cleaning import own_answer
from crossin.teaching.asked import AskedAnswer

# A share that is a sum of fractions.
_ROUNDING = 1e-9


class PreferReason(Reason):
    """Why a question has no pair, in all languages or in one."""

    FREE_TEXT = (
        "not_comparable",
        "answered in free text, whose meaning cannot be compared between languages",
        "use questions with options, with an inventory, or with a number as the answer",
    )
    NO_PROMPT = "no_prompt", "nothing precedes the answer", "ask with another --form"
    PIVOT_UNREAD = "pivot_unread", "no answer in the pivot could be read"
    PIVOT_TIED = "pivot_tied", "the pivot has two most frequent answers"
    PIVOT_UNSURE = "pivot_unsure", "too few of the pivot's answers mean the same", "lower --share"
    UNREAD = "unread", "no answer in the language could be read"
    NONE_AGREES = "none_agrees", "no answer in the language means the pivot's", "draw more --samples"
    ALL_AGREE = "all_agree", "all answers in the language mean the pivot's"
    UNUSABLE = (
        "unusable_answers",
        "the answers that would make a pair are cut, or have a thought",
        "raise --max-tokens, or switch thinking off with --chat-template-kwargs",
    )


@dataclass(frozen=True)
class Candidate:
    """An answer in one language: what it means (None where that could not be read), what share of the model's
    answers it is, and as `text` how it follows the prompt; None where it is not fit to be learned.

    own: whether the model gives it. It does not give an option that it finds less likely than another.
    """

    meaning: str | None
    share: float
    text: str | None
    own: bool = True


class Agreed(NamedTuple):
    """What most of a question's answers in the pivot mean, and their share of all; `reason` says why that
    decides nothing, '' where it does.
    """

    meaning: str
    share: float
    reason: str = ""


class AnswerPair(NamedTuple):
    """Two texts that follow the same prompt."""

    chosen: str
    rejected: str


def candidates(answers: Sequence[AskedAnswer], temperature: float) -> list[Candidate]:
    """The candidates among the answers to one question in one language: each reply that was drawn, or where
    options were scored, each option with its probability among them (the softmax of what decides between
    them, over the temperature).
    """
    found: list[Candidate] = []
    for one, answer, cut in answers:
        options = one.question.options
        if not options:
            text = _continuation(answer.reply, cut, bool(one.question.item.inventory))
            found.append(Candidate(answer.meaning, 1 / len(answers), text))
        elif answer.meaning is None:
            found.append(Candidate(None, 1 / len(answers), None))
        else:
            most = max(value for value in answer.values if value is not None)
            # An option that a server does not list among the most probable has no number.
            weights = [0.0 if one is None else math.exp((one - most) / temperature) for one in answer.values]
            for name, text, weight in zip(one.question.item.option_ids, options, weights, strict=True):
                share = weight / sum(weights) / len(answers)
                found.append(Candidate(name, share, text, own=name == answer.meaning))
    return found


def agreed(pivot: Sequence[Candidate], least: float) -> Agreed:
    """The most frequent meaning. A tie, or a share below `least`, is a reason to leave the question out."""
    shares = _shares(pivot)
    if not shares:
        return Agreed("", 0.0, PreferReason.PIVOT_UNREAD)
    (meaning, share), *others = shares
    if others and share - others[0][1] < _ROUNDING:
        return Agreed(meaning, share, PreferReason.PIVOT_TIED)
    return Agreed(meaning, share, PreferReason.PIVOT_UNSURE if share < least - _ROUNDING else "")


def pair_of(meaning: str, answers: Sequence[Candidate]) -> AnswerPair | PreferReason:
    """An answer that means `meaning`, and one of the model's own that means something else, the most frequent
    meaning first; of each the most frequent text, of equals the first. An answer that could not be read is
    never rejected: it may mean the same.
    """
    shares = dict(_shares(answers))
    if not shares:
        return PreferReason.UNREAD
    if meaning not in shares:
        return PreferReason.NONE_AGREES
    given = {one.meaning for one in answers if one.own}
    wrong = [other for other in shares if other != meaning and other in given]
    if not wrong:
        return PreferReason.ALL_AGREE
    chosen = _most_frequent(meaning, answers)
    rejected = next((text for other in wrong if (text := _most_frequent(other, answers))), None)
    if chosen is None or rejected is None:
        return PreferReason.UNUSABLE
    return AnswerPair(chosen, rejected)


def _shares(answers: Sequence[Candidate]) -> list[tuple[str, float]]:
    """The share of each meaning, the greatest first, of equals the one that came first."""
    found: dict[str, float] = {}
    for one in answers:
        if one.meaning is not None:
            found[one.meaning] = found.get(one.meaning, 0.0) + one.share
    return sorted(found.items(), key=lambda pair: -round(pair[1], 9))


def _most_frequent(meaning: str, answers: Sequence[Candidate]) -> str | None:
    texts: dict[str, float] = {}
    for one in answers:
        if one.meaning == meaning and one.text is not None:
            texts[one.text] = texts.get(one.text, 0.0) + one.share
    return max(texts, key=lambda text: round(texts[text], 9), default=None)


def _continuation(reply: str, cut: bool, first_line: bool) -> str | None:
    """What of a reply is learned: what it was read in, its first line or all before a next question; None
    where that is cut, or has a thought.
    """
    if holds_thought(reply):
        return None
    whole = own_answer(reply) or ""
    text = whole
    if first_line:
        begin = len(text) - len(text.lstrip())
        end = text.find("\n", begin)
        if end >= 0 and text[:end].rstrip().endswith(":"):
            end = text.find("\n", end + 1)
        text = text if end < 0 else text[:end]
    is_whole = len(text) == len(reply)
    text = text.rstrip()
    return None if not text or (cut and is_whole) else text
