"""The type of an English answer, from its words and from the question's."""

from __future__ import annotations

import re
from enum import Enum


class AnswerType(Enum):
    """The types of answer that a reader can tell apart without the paragraph."""

    DATE = "date"
    PERCENT = "percentage"
    MONEY = "money"
    NUMBER = "number"
    PERSON = "person"
    PLACE = "place"
    NAME = "other name"
    PHRASE = "short phrase"
    CLAUSE = "long phrase or clause"


_FIGURES = {AnswerType.DATE, AnswerType.PERCENT, AnswerType.MONEY, AnswerType.NUMBER}
_NAMES = {AnswerType.PERSON, AnswerType.PLACE, AnswerType.NAME}
_WORDS = {AnswerType.PHRASE, AnswerType.CLAUSE}
_LONG = 6


def _any(*patterns: str, ignore_case: bool = True) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.I if ignore_case else 0)


_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
# "When" within a sentence ("when he was young") does not ask for a date.
_DATE_QUESTION = _any(
    r"\bwhen (are|can|did|do|does|had|has|have|is|was|were|will|would)\b",
    r"\b(what|which)( \w+)? (century|date|day|decade|era|month|period|season|year)s?\b",
)
_NUMBER_QUESTION = _any(
    r"\bhow (big|deep|far|fast|heavy|high|hot|large|long|many|much|often|old|tall|wide)\b",
    r"\b(amount|number|percent\w*|population|rate|ratio)\b",
)
_PERSON_QUESTION = _any(r"^Who(m|se)?\b", r"\bwho(m|se)?\b", ignore_case=False)
_PLACE_QUESTION = _any(
    r"\bwhere\b",
    r"\b(what|which)( \w+)? (area|cit(y|ies)|continent|countr(y|ies)|county|district|island|location|mountain"
    r"|nation|place|province|region|river|state|town|village)s?\b",
)
_CLAUSE_QUESTION = _any(r"\bwhy\b", r"\bhow (are|can|could|did|do|does|has|have|is|to|was|were|would)\b")
_DATE = _any(
    r"\b(1\d{3}|20\d{2})s?\b",
    r"\b\d{1,4} ?(AD|BCE?|BP|CE)\b",
    r"\b(century|centuries|decade|years? ago)\b",
    rf"\b(?!May\b)({_MONTHS})\b|\bMay \d",
    ignore_case=False,
)
_NUMBER = _any(
    r"\d",
    r"\b(zero|none|half|once|twice|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen)\b",
    r"\b(fifteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|first|second|thirds?|quarters?)\b",
    r"\b(dozen|hundred|thousand|million|billion)s?\b",
)
_MONEY = _any(r"[$€£¥]", r"\b(cent|dollar|euro|franc|livre)s?\b", r"\bpounds sterling\b")
_PERCENT = _any(r"%", r"\bper ?cent\b")
_SMALL = {"a", "an", "and", "at", "by", "de", "der", "for", "from", "in", "la", "of", "on", "or", "the", "to",
          "van", "von", "with", "&", "al", "et"}  # fmt: skip


def answer_type(question: str, answer: str) -> AnswerType:
    """The type of an English answer to an English question: the first rule of docs/cross-xquad.md that
    fits.
    """
    words = answer.split()
    asks_number = bool(_NUMBER_QUESTION.search(question))
    if len(words) <= _LONG:
        if _PERCENT.search(answer):
            return AnswerType.PERCENT
        if _MONEY.search(answer):
            return AnswerType.MONEY
        if not asks_number and (_DATE_QUESTION.search(question) or _DATE.search(answer)):
            return AnswerType.DATE
        if _NUMBER.search(answer) and (asks_number or not _is_name(words)):
            return AnswerType.NUMBER
    if _is_name(words):
        if _PERSON_QUESTION.search(question):
            return AnswerType.PERSON
        return AnswerType.PLACE if _PLACE_QUESTION.search(question) else AnswerType.NAME
    if len(words) >= _LONG or _CLAUSE_QUESTION.search(question):
        return AnswerType.CLAUSE
    return AnswerType.PHRASE


def distance(one: AnswerType, other: AnswerType) -> float:
    """How plainly the types of two answers differ: 0 the same, 1 seen at once."""
    if one is other:
        return 0.0
    for family, within in ((_FIGURES, 0.5), (_NAMES, 0.3), (_WORDS, 0.3)):
        if one in family and other in family:
            return within
    return 1.0 if one in _FIGURES or other in _FIGURES else 0.6


def _is_name(words: list[str]) -> bool:
    """Whether every word that matters begins with a capital."""
    words = [word.strip("\"'“”‘’().,") for word in words if word.lower() not in _SMALL]
    return bool(words) and all(word[:1].isupper() for word in words)
