"""What a model's answers to a question mean, and whether they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from crossin.evaluation.engine import Scores
from crossin.evaluation.preparation import PreparedQuestion
from crossin.items.inventories import Inventories
from crossin.items.item import Item
from crossin.items.replies import read_reply
from crossin.items.replies.cleaning import cleaned, own_answer
from crossin.items.replies.entities import Unread, first_line, read_entity
from crossin.items.scored_options import Choice, option_values
from crossin.languages.numbers import last_number
from crossin.languages.segmentation import units
from crossin.teaching.reasons import TeachReason, Unsure

# A share that is a sum of fractions.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Answer:
    """One answer to a question: what it means (an option's or entity's id, a number, or the words of a text),
    or None and the code of the reason. `text` is what a free text is taught as. `values` decide between
    options, in the item's order, None where one is not known.
    """

    meaning: str | None
    unread: str = ""
    text: str = ""
    reply: str = ""
    values: tuple[float | None, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What a question's answers come to. `meaning` is that of the most answers, even where they are not
    certain; `reason` says why they are not, '' where they are. agreement: the share of all answers that mean
    it. margin: mean difference to the best other option, None where none was scored.
    """

    question: str
    answers: tuple[Answer, ...]
    meaning: str | None
    text: str
    agreement: float
    margin: float | None
    reason: str


def answer_of(
    one: PreparedQuestion,
    found: dict[str, Any],
    bare: dict[str, Any] | None,
    choice: Choice,
    inventories: Inventories,
    *,
    whole: bool,
) -> Answer:
    """The meaning of an engine's answer (the fields of `Scores` or `Reply`). whole: a free text is taught as
    it is; else only its first line, as a question's short answer. No right answer is looked at.
    """
    if found["failed"]:
        return Answer(None, Unsure.FAILED)
    if "logprobs" in found:
        return _scored(one, Scores(**found), None if bare is None else Scores(**bare), choice)
    # JSON can hold half of a character; no file can.
    reply = found["text"].encode(errors="replace").decode()
    item = one.question.item
    if not item.free_text:
        options = [item.options[place] for place in one.question.shown]
        place = read_reply(reply, options, language=item.language)
        if place is None:
            return Answer(None, Unsure.NO_OPTION, reply=reply)
        return Answer(item.option_ids[one.question.shown[place]], reply=reply)
    if item.inventory:
        reading = read_entity(reply, inventories[item.inventory], item.language, question=item.question)
        return Answer(reading.entity, reading.unread or "", reply=reply)
    if own_answer(reply) is None:
        return Answer(None, Unread.THOUGHT, reply=reply)
    if item.answer_type == "number":
        numbers = last_number(cleaned(reply), item.language)
        if len(numbers) != 1:
            return Answer(None, Unsure.NO_NUMBER, reply=reply)
        [number] = numbers
        return Answer(str(number), text=number_text(str(number)), reply=reply)
    if whole and found["cut"]:
        return Answer(None, Unsure.CUT, reply=reply)
    text = ((own_answer(reply) or "") if whole else first_line(cleaned(reply))).strip()
    meaning = " ".join(units(text))
    return Answer(meaning, text=text, reply=reply) if meaning else Answer(None, Unread.EMPTY, reply=reply)


def _scored(one: PreparedQuestion, found: Scores, bare: Scores | None, choice: Choice) -> Answer:
    alone = None if bare is None else bare.logprobs
    options = one.question.options
    values = tuple(option_values(options, found.logprobs, found.tokens, alone, choice))
    known = [(value, -place) for place, value in enumerate(values) if value is not None]
    # An option that is not among the most probable tokens is less probable than those that are.
    if not known or (len(known) < len(values) and not (found.listed and bare is None)):
        return Answer(None, Unsure.UNSCORED, values=values)
    return Answer(one.question.item.option_ids[-max(known)[1]], values=values)


def number_text(number: str) -> str:
    """A fraction as digits: as a decimal number where it has an end."""
    over, _, under = number.partition("/")
    rest = int(under or 1)
    places = 0
    while rest % 2 == 0 or rest % 5 == 0:
        rest //= 10 if rest % 10 == 0 else 2 if rest % 2 == 0 else 5
        places += 1
    if rest != 1 or not under:
        return number
    digits = str(abs(int(over)) * 10**places // int(under)).zfill(places + 1)
    return f"{'-' * over.startswith('-')}{digits[:-places]}.{digits[-places:]}"


def judge(
    item: Item, answers: Sequence[Answer], *, agreement: float, margin: float, similarity: float
) -> Judgement:
    """Whether the answers to an item agree, and by how much. Settings as in `TeachConfig`.

    Of texts that mean the same, the one that most others are similar to is taken; of equals the first.
    """
    free = item.free_text and not item.inventory and item.answer_type == "text"
    read = [one for one in answers if one.meaning is not None]
    support = [sum(_alike(one, other, similarity if free else 1.0) for other in read) for one in read]
    if not read:
        return Judgement(item.item, tuple(answers), None, "", 0.0, None, _no_answer(answers))
    best = read[support.index(max(support))]
    share = max(support) / len(answers)
    found = _margin(item, best.meaning, answers)
    reason = ""
    if share < agreement - _ROUNDING:
        enough = len(read) / len(answers) >= agreement - _ROUNDING
        reason = TeachReason.ANSWERS_DISAGREE if enough else _no_answer(answers)
    elif found is not None and found < margin:
        reason = TeachReason.SMALL_MARGIN
    return Judgement(item.item, tuple(answers), best.meaning, best.text, share, found, str(reason))


def _no_answer(answers: Sequence[Answer]) -> str:
    """The reason, with the most frequent one of the single answers."""
    [(code, _)] = Counter(one.unread for one in answers if one.unread).most_common(1)
    return TeachReason.UNREAD.about(code)


def _alike(one: Answer, other: Answer, similarity: float) -> bool:
    if one.meaning == other.meaning:
        return True
    if similarity == 1 or one.meaning is None or other.meaning is None:
        return False
    # F1 of the words, each as often as it occurs.
    first, second = (Counter(answer.meaning.split(" ")) for answer in (one, other) if answer.meaning)
    return 2 * (first & second).total() / (first.total() + second.total()) >= similarity - _ROUNDING


def _margin(item: Item, meaning: str | None, answers: Sequence[Answer]) -> float | None:
    """The mean over the answers of how much more the option has than the best other one."""
    if meaning not in item.option_ids:
        return None
    place = item.option_ids.index(meaning)
    margins = []
    for one in answers:
        others = [value for at, value in enumerate(one.values) if at != place and value is not None]
        mine = one.values[place] if one.values else None
        if mine is not None and others:
            margins.append(mine - max(others))
    return sum(margins) / len(margins) if margins else None
