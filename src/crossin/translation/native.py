"""Native answers: the model answers the translated instruction in its language, as in Bactrian-X (Li et al.
2023, arXiv 2305.15011), instead of translating the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crossin.languages.detection import likelihood
from crossin.translation.checks.signals import comment_in, loops, repetition
from crossin.translation.prompts import QUESTION
from crossin.translation.reasons import TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.scheduler import ResponseCounts, Scheduler

# As for translations: below, another language; above, a loop.
_FOREIGN, _REPEATED = 0.1, 0.4


@dataclass(frozen=True)
class NativeAnswer:
    """An answer, and when it arrived; where it is rejected, the reason code and a detail."""

    text: str
    time: str
    reason: str
    detail: str


async def answer_natively(
    questions: Mapping[int, str], language: str, attempts: int, scheduler: Scheduler, counts: ResponseCounts
) -> dict[int, NativeAnswer]:
    """An answer to each question; one that is rejected is requested again, up to `attempts` times."""
    answers: dict[int, NativeAnswer] = {}
    for attempt in range(attempts):
        requests = {
            number: TranslationRequest(language, language, (QUESTION,), (text,), attempt)
            for number, text in questions.items()
            if number not in answers or answers[number].reason
        }
        responses = await scheduler.translate(requests.values(), counts)
        for number, request in requests.items():
            answers[number] = _checked(responses[request], questions[number], language)
    return answers


def _checked(response: TranslationResponse, question: str, language: str) -> NativeAnswer:
    if response.texts is None:
        return NativeAnswer("", response.time, response.reason, response.detail)
    text = response.texts[0]
    reason = ""
    if response.cut:
        reason = TranslationReason.TOKEN_LIMIT.value
    elif not text.strip():
        reason = TranslationReason.EMPTY.value
    elif comment := comment_in(question, text):
        reason = comment
    elif likelihood(text, language, source_text=question) < _FOREIGN:
        reason = TranslationReason.WRONG_LANGUAGE.value
    elif repetition(text) > _REPEATED or loops(text):
        reason = TranslationReason.REPETITION.value
    return NativeAnswer(text, response.time, reason, "")
