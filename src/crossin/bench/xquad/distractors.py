"""Wrong options for a question: answers of other questions, ranked in English, allowed in all languages.

Every choice depends on the texts and on a hash of the question's id alone. docs/cross-xquad.md explains the
rules.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from crossin.bench.xquad.answer_types import AnswerType, answer_type, distance
from crossin.bench.xquad.questions import PIVOT, SquadQuestion
from crossin.core.hashing import hash64
from crossin.core.reasons import Reason
from crossin.languages.segmentation import fold

OPTIONS = 4
# What counts against a candidate; _PLACE counts twice for another article.
_PLACE, _TYPE, _FEATURES, _LENGTH, _KINSHIP = 2.5, 3.0, 0.3, 0.3, 4.0
# Questions that share this part of their words, and the question word, ask for the same thing.
_SAME_QUESTION = 0.75
_QUESTION_WORDS = {"how", "what", "when", "where", "which", "who", "whom", "whose", "why"}
_FUNCTION_WORDS = {
    *("a", "an", "are", "at", "be", "by", "did", "do", "does", "for", "in", "is", "it", "its"),
    *("of", "on", "that", "the", "their", "this", "to", "was", "were"),
}
_OPEN_QUESTION = re.compile(
    r"^Name\b|\b(one|another|examples?|other|else|besides|aside from|in addition|along with|some of)\b", re.I
)
_SENTENCE_END = re.compile(r"[.!?]\W? (?=\W?[A-Z])")


class RuledOut(Reason):
    """Why an answer cannot be a distractor: it might be taken for a right answer, or for a part of one."""

    CONTAINED = "contained", "contains the right answer, or is contained in it"
    SAME_QUESTION = "same_question", "answers the same question"
    OVERLAP = "overlap", "overlaps the right answer in the paragraph"
    SAME_SENTENCE = "same_sentence", "in the sentence that a question for one of several asks about"


@dataclass(frozen=True)
class _Candidate:
    """What the choice depends on: the answer's normalised texts by language, and features in English."""

    question: SquadQuestion
    texts: tuple[str, ...]
    type: AnswerType
    features: tuple[bool, ...]
    words: frozenset[str]


def choose_options(questions: Sequence[SquadQuestion]) -> tuple[dict[str, list[str]], dict[str, int]]:
    """The option ids, in the order shown, of every question that has three distractors, by question id; and
    how often an answer of the same article was ruled out as a distractor, by reason code.
    """
    ruled_out: Counter[str] = Counter()
    candidates = [_candidate(question) for question in questions]
    articles: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        articles.setdefault(candidate.question.article, []).append(candidate)
    choices = {}
    for gold in candidates:
        near = articles[gold.question.article]
        if chosen := _choose(gold, near, ruled_out) or _choose(gold, candidates, Counter()):
            key = gold.question.id
            ids = [key, *(distractor.question.id for distractor in chosen)]
            choices[key] = sorted(ids, key=lambda option: hash64("order", key, option))
    return choices, dict(sorted(ruled_out.items()))


def normalised(text: str) -> str:
    """The text in NFKC without case, punctuation and spaces: two options must differ in it."""
    return "".join(letter for letter in fold(text) if unicodedata.category(letter)[0] in "LMNS")


def _candidate(question: SquadQuestion) -> _Candidate:
    english = question.readings[PIVOT]
    answer = english.answer
    return _Candidate(
        question,
        tuple(normalised(reading.answer) for reading in question.readings.values()),
        answer_type(english.question, answer),
        (
            any(letter.isdigit() for letter in answer),
            answer.isdigit(),
            answer[0].isupper(),
            answer.split()[0].lower() in ("a", "an", "the"),
            re.search(r",| and | or ", answer) is not None,
        ),
        frozenset(re.findall(r"[\w'-]+", english.question.lower())) - _FUNCTION_WORDS,
    )


def _choose(
    gold: _Candidate, pool: list[_Candidate], ruled_out: Counter[str]
) -> tuple[_Candidate, ...] | None:
    """The best three of the pool that are unlike one another, or None."""
    allowed = []
    for candidate in pool:
        if candidate is gold:
            continue
        reason = _ruled_out(gold, candidate)
        if reason:
            ruled_out[reason] += 1
        else:
            place = hash64("candidate", gold.question.id, candidate.question.id)
            allowed.append((_cost(gold, candidate), place, candidate))
    allowed.sort(key=lambda candidate: candidate[:2])
    together = itertools.combinations([candidate for _, _, candidate in allowed], OPTIONS - 1)
    return next(
        (few for few in together if not any(itertools.starmap(_alike, itertools.combinations(few, 2)))), None
    )


def _ruled_out(gold: _Candidate, candidate: _Candidate) -> RuledOut | None:
    asked, other = gold.question.readings[PIVOT], candidate.question.readings[PIVOT]
    if _alike(gold, candidate):
        return RuledOut.CONTAINED
    shared = len(gold.words & candidate.words)
    if shared >= _SAME_QUESTION * len(gold.words | candidate.words) and (
        gold.words & _QUESTION_WORDS == candidate.words & _QUESTION_WORDS
    ):
        return RuledOut.SAME_QUESTION
    if gold.question.group == candidate.question.group:
        if any(
            one.start < two.start + len(two.answer) and two.start < one.start + len(one.answer)
            for one, two in zip(
                gold.question.readings.values(), candidate.question.readings.values(), strict=True
            )
        ):
            return RuledOut.OVERLAP
        if _OPEN_QUESTION.search(asked.question) and _sentence(asked.context, asked.start) == _sentence(
            other.context, other.start
        ):
            return RuledOut.SAME_SENTENCE
    return None


def _cost(gold: _Candidate, candidate: _Candidate) -> float:
    """How unlikely a distractor is to be taken for the answer, by place, type, form and question."""
    own, other = gold.question, candidate.question
    place = (own.group != other.group) + (own.article != other.article)
    features = sum(one != two for one, two in zip(gold.features, candidate.features, strict=True))
    length = abs(math.log(len(other.readings[PIVOT].answer) / len(own.readings[PIVOT].answer)))
    kinship = len(gold.words & candidate.words) / len(gold.words | candidate.words)
    return (
        _PLACE * place
        + _TYPE * distance(gold.type, candidate.type)
        + _FEATURES * features
        + _LENGTH * length
        - _KINSHIP * kinship
    )


def _alike(one: _Candidate, other: _Candidate) -> bool:
    """Whether two answers are equal, or one contains the other, in some language."""
    return any(a in b or b in a for a, b in zip(one.texts, other.texts, strict=True))


def _sentence(context: str, place: int) -> int:
    """The number of the sentence that a place of the paragraph is in."""
    return sum(end.end() <= place for end in _SENTENCE_END.finditer(context))
