"""Native answers: the translated instruction is answered in its language, as in Bactrian-X (Li et al. 2023,
arXiv 2305.15011), instead of the answer being translated.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossin.translation.asking import Dated, Wanted, Work
from crossin.translation.engine import Ask
from crossin.translation.filters.language import likelihood
from crossin.translation.filters.meta import remark
from crossin.translation.filters.repetition import loops, repetition
from crossin.translation.prompt import QUESTION

# As for translations: below, another language; above, a loop.
_FOREIGN, _REPEATED = 0.1, 0.4


def answer_natively(
    questions: Mapping[int, str], language: str, attempts: int
) -> Work[dict[int, tuple[str, str, str]]]:
    """Answer, reason against it ('' where it passes) and time for each question; one that fails is asked
    again, so often as `attempts` says.
    """
    found: dict[int, tuple[str, str, str]] = {}
    for attempt in range(attempts):
        pending = {
            number: Ask(language, language, (QUESTION,), (text,), attempt)
            for number, text in questions.items()
            if number not in found or found[number][1]
        }
        answers: dict[Ask, Dated] = {}
        yield Wanted(list(dict.fromkeys(pending.values())), answers.__setitem__)
        for number, ask in pending.items():
            dated = answers[ask]
            text = "" if dated.answer.texts is None else dated.answer.texts[0]
            reason = _fault(text, questions[number], language, dated)
            found[number] = text, reason, dated.time
    return found


def _fault(text: str, question: str, language: str, dated: Dated) -> str:
    if dated.answer.texts is None:
        return dated.answer.trouble.partition(": ")[0]
    if dated.answer.cut:
        return "cut at the limit of tokens"
    if not text.strip():
        return "empty"
    if said := remark(question, text):
        return said
    if likelihood(text, question, language, "en") < _FOREIGN:
        return "wrong language"
    return "says the same again" if repetition(text) > _REPEATED or loops(text) else ""
