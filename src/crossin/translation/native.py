"""Native answers: the model answers the translated instruction in its language, as in Bactrian-X (Li et al.
2023, arXiv 2305.15011), instead of translating the answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from crossin.alignment.reasons import AlignmentReason
from crossin.languages.detection import likelihood
from crossin.translation.checks.signals import comment_in, loops, repetition
from crossin.translation.prompts import QUESTION
from crossin.translation.reasons import TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.scheduler import ResponseCounts, Scheduler

# As for translations: below, another language; above, a loop.
_FOREIGN, _REPEATED = 0.1, 0.4


async def answer_natively(
    questions: Mapping[int, str], language: str, attempts: int, scheduler: Scheduler, counts: ResponseCounts
) -> dict[int, tuple[TranslationResponse, str]]:
    """The answer to each question, and a reason code where it is rejected, '' else. A rejected one is
    requested again, up to `attempts` times.
    """
    answers: dict[int, tuple[TranslationResponse, str]] = {}
    for attempt in range(attempts):
        requests = {
            number: question_request(text, language, attempt)
            for number, text in questions.items()
            if number not in answers or answers[number][1]
        }
        responses = await scheduler.translate(requests.values(), counts)
        for number, request in requests.items():
            response = responses[request]
            answers[number] = response, _reason(response, questions[number], language)
    return answers


def question_of(texts: Mapping[str, str]) -> str:
    """What is answered: a row's instruction, and its input."""
    return "\n\n".join(filter(None, (texts[name] for name in ("instruction", "input"))))


def question_request(question: str, language: str, attempt: int = 0) -> TranslationRequest:
    """The request for an answer in a language."""
    return TranslationRequest(language, language, (QUESTION,), (question,), attempt)


def _reason(response: TranslationResponse, question: str, language: str) -> str:
    if response.texts is None:
        return response.reason
    [text] = response.texts
    if response.cut:
        return TranslationReason.TOKEN_LIMIT
    if not text.strip():
        return AlignmentReason.EMPTY
    if comment := comment_in(question, text):
        return comment
    if likelihood(text, language, source_text=question) < _FOREIGN:
        return AlignmentReason.WRONG_LANGUAGE
    return TranslationReason.REPETITION if repetition(text) > _REPEATED or loops(text) else ""
