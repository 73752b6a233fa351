"""One shard: some rows into one language. Rows that fail a check are requested again in another way.

Thresholds are fitted to the shard's own rows, so that its outcome is the same whoever makes it, and in
whatever order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from crossin.translation.checks.features import RowFeatures, TranslationPair, features_of
from crossin.translation.checks.quality import QualityModel, round_trip_score
from crossin.translation.checks.verdicts import Thresholds, Verdict, fit_thresholds, verdicts_on
from crossin.translation.config import TranslateConfig
from crossin.translation.language_specific import reason_of
from crossin.translation.native import answer_natively, question_of
from crossin.translation.reasons import Rejection, TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse, Translator
from crossin.translation.rows import SourceRow
from crossin.translation.scheduler import SENT_AT_ONCE, ResponseCounts, Scheduler
from crossin.translation.splitting import SplitBy, SplitRow, join_row, split_row
from crossin.translation.turns import asked_in, exchanges_of, is_conversation, name_in

RowStatus = Literal["translated", "kept", "left_out", "rejected"]
# The texts of rows by field, by the rows' numbers in the shard.
RowTexts = dict[int, Mapping[str, str]]


@dataclass(frozen=True)
class Pipeline:
    """How rows are translated: the settings, and what was made from them."""

    config: TranslateConfig
    translator: Translator
    glossary: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    quality: QualityModel | None = None


@dataclass
class Outcome:
    """What became of a row in one language.

    texts: those that are kept, or of a rejected row the last ones from the translator, if any.
    language_specific: a reason code, or ''. attempts: how often the row was requested. time: when the last
    response arrived. figures: those of the checks. answer: who wrote the output.
    """

    row: SourceRow
    status: RowStatus
    texts: Mapping[str, str]
    language_specific: str = ""
    rejection: Rejection | None = None
    attempts: int = 0
    time: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    answer: Literal["translation", "native"] = "translation"

    def why(self) -> dict[str, str]:
        """Why the row is not translated: the reason's code, the field, and a detail; '' where it is."""
        rejection = self.rejection
        if self.status == "rejected" and rejection is not None:
            return {"reason": rejection.reason, "field": rejection.field, "detail": rejection.detail}
        return {"reason": self.language_specific, "field": "", "detail": ""}


@dataclass(frozen=True)
class Draft:
    """What one attempt gave for a row: its texts, or a rejection, and the features of each exchange."""

    texts: Mapping[str, str] | Rejection
    features: Sequence[RowFeatures]
    time: str


@dataclass(frozen=True)
class Shard:
    """What is needed to translate a shard's rows into `target`.

    counts: filled with the responses that it takes. sent: called once all first requests are sent. answered:
    called with the count of rows that have all responses of their first attempt, and a note.
    """

    pipeline: Pipeline
    target: str
    scheduler: Scheduler
    counts: ResponseCounts = field(default_factory=ResponseCounts)
    sent: Callable[[], None] = lambda: None
    answered: Callable[[int, str], None] = lambda _rows, _note: None


def ways(translator: Translator) -> list[tuple[SplitBy, int]]:
    """How a row is split, and the number of the attempt, for each time that it may be requested."""
    if translator.unit == "row":
        # The last time in smaller parts.
        last = translator.attempts - 1
        return [("text", number) for number in range(last)] + [("paragraph", last)]
    if translator.unit == "text":
        # Such a model may lose placeholders: the last time it does not see them. A translator without other
        # settings for another attempt is not paid twice for the same text: its number stays.
        spans: list[SplitBy] = ["span"] * max(1, translator.attempts - 2)
        last = translator.attempts - 1
        return [(by, min(number, last)) for number, by in enumerate(("field", "paragraph", *spans))]
    whole: list[tuple[SplitBy, int]] = [] if translator.by_span else [("sentence", 0)]
    return whole + [("span", number) for number in range(translator.attempts)]


async def translate_rows(shard: Shard, rows: Sequence[SourceRow]) -> list[Outcome]:
    """The outcome of each row, in their order."""
    config = shard.pipeline.config
    outcomes, texts = await asyncio.to_thread(_sort_rows, config, rows)
    shard.answered(len(rows) - len(texts), "")
    thresholds: Thresholds | None = None
    for number, (by, attempt) in enumerate(ways(shard.pipeline.translator)):
        if not texts:
            break
        drafts = await _request(shard, texts, by, attempt, first=number == 0)
        features = [one for draft in drafts.values() for one in draft.features]
        # Fitted to the first attempt, unless that gave little but failures.
        if thresholds is None or thresholds.rows < len(features):
            thresholds = await asyncio.to_thread(fit_thresholds, features, config.source, shard.target)
        verdicts = iter(await asyncio.to_thread(verdicts_on, features, thresholds))
        for row, draft in drafts.items():
            outcome = outcomes[row]
            outcome.attempts += 1
            outcome.time = draft.time
            if isinstance(draft.texts, Rejection):
                outcome.rejection = draft.texts
                continue
            outcome.texts = draft.texts
            of_row = [next(verdicts) for _ in draft.features]
            outcome.figures, outcome.rejection = _of_all(of_row, outcome.row.texts)
        await _check_quality(shard, {row: texts[row] for row in drafts}, outcomes)
        for row in drafts:
            if outcomes[row].rejection is None:
                outcomes[row].status = "translated"
                outcomes[row].texts = {**outcomes[row].row.texts, **outcomes[row].texts}
                del texts[row]
    if config.native:
        await _answer(shard, outcomes)
    return outcomes


def _sort_rows(config: TranslateConfig, rows: Sequence[SourceRow]) -> tuple[list[Outcome], RowTexts]:
    """The outcomes as they are before any request, and the texts to translate."""
    outcomes: list[Outcome] = []
    texts: RowTexts = {}
    for number, row in enumerate(rows):
        reason = reason_of(row.texts, config.source)
        status: RowStatus = "rejected"
        if reason is None:
            texts[number] = {**row.texts, "output": ""} if config.native else row.texts
        elif config.language_specific == "instruction":
            texts[number] = asked_in(row.texts)
        else:
            status = "kept" if config.language_specific == "keep" else "left_out"
        outcomes.append(Outcome(row, status, {} if number in texts else row.texts, reason or ""))
    return outcomes, texts


async def _request(
    shard: Shard, texts: RowTexts, by: SplitBy, attempt: int, *, first: bool
) -> dict[int, Draft]:
    """Request every row in one way; each is joined as soon as its last response arrives."""
    pipeline, tasks = shard.pipeline, []
    note = "" if first else f"{len(texts):,} rows again"
    glossary = pipeline.glossary.get(shard.target, {})

    def split(numbers: Sequence[int]) -> dict[int, SplitRow]:
        source = pipeline.config.source
        return {
            number: split_row(texts[number], source, shard.target, by, attempt, glossary)
            for number in numbers
        }

    async def draft(
        number: int, row: SplitRow, futures: Mapping[TranslationRequest, asyncio.Future[TranslationResponse]]
    ) -> tuple[int, Draft]:
        responses = [await asyncio.shield(futures[request]) for request in row.requests]
        joined = _joined(texts[number], row, responses, pipeline.config.source, shard.target)
        shard.answered(int(first), note)
        return number, joined

    numbers = list(texts)
    async with asyncio.TaskGroup() as group:
        for start in range(0, len(numbers), SENT_AT_ONCE):
            await shard.scheduler.room()
            rows = await asyncio.to_thread(split, numbers[start : start + SENT_AT_ONCE])
            requests = (request for row in rows.values() for request in row.requests)
            futures = shard.scheduler.send(requests, shard.counts)
            tasks += [group.create_task(draft(number, row, futures)) for number, row in rows.items()]
        shard.sent()
    return dict(task.result() for task in tasks)


def _joined(
    texts: Mapping[str, str],
    row: SplitRow,
    responses: Sequence[TranslationResponse],
    source: str,
    target: str,
) -> Draft:
    time = max((response.time for response in responses), default="")
    translated = join_row(row, responses)
    if isinstance(translated, Rejection):
        return Draft(translated, (), time)
    cut = any(response.cut for response in responses)
    both = zip(exchanges_of(texts), exchanges_of(translated), strict=True)
    features = [features_of(TranslationPair(one, other, cut), source, target) for one, other in both]
    return Draft(translated, features, time)


def _of_all(
    verdicts: Sequence[Verdict], texts: Mapping[str, str]
) -> tuple[Mapping[str, float], Rejection | None]:
    """The figures of a row and the first rejection of its exchanges: the lowest likelihood of the language,
    and of other figures the one that is farthest from 0.
    """
    if len(verdicts) == 1 and not is_conversation(texts):
        return verdicts[0].figures, verdicts[0].rejection
    figures = {
        name: min(values) if name == "language" else max(values, key=abs)
        for name in verdicts[0].figures
        for values in [[verdict.figures[name] for verdict in verdicts]]
    }
    for number, verdict in enumerate(verdicts):
        if (found := verdict.rejection) is not None:
            return figures, replace(found, field=name_in(texts, number, found.field))
    return figures, None


async def _check_quality(shard: Shard, texts: RowTexts, outcomes: list[Outcome]) -> None:
    """The optional checks of rows that passed the others; their figures, and rejections below a threshold."""
    config, quality = shard.pipeline.config, shard.pipeline.quality
    passed = [number for number in texts if outcomes[number].rejection is None]
    if config.round_trip is not None:
        by, _ = ways(shard.pipeline.translator)[0]
        rows = {
            number: split_row(outcomes[number].texts, shard.target, config.source, by) for number in passed
        }
        requests = (request for row in rows.values() for request in row.requests)
        back = await shard.scheduler.translate(requests, shard.counts)
        for number, row in rows.items():
            score = round_trip_score(texts[number], row, [back[request] for request in row.requests])
            _apply(outcomes[number], TranslationReason.ROUND_TRIP, score, config.round_trip)
    if quality is not None:
        pairs = [(texts[number], outcomes[number].texts) for number in passed]
        scores = await asyncio.to_thread(quality.scores, pairs)
        for number, score in zip(passed, scores, strict=True):
            _apply(outcomes[number], TranslationReason.QUALITY, score, quality.threshold)


def _apply(outcome: Outcome, reason: TranslationReason, score: float, threshold: float) -> None:
    outcome.figures = {**outcome.figures, reason.value: score}
    if score < threshold and outcome.rejection is None:
        outcome.rejection = Rejection(reason, detail=f"{score:.3g}, below {threshold:g}")


async def _answer(shard: Shard, outcomes: list[Outcome]) -> None:
    """Have the translated instructions answered; one without a good answer is rejected."""
    questions = {
        number: question_of(one.texts)
        for number, one in enumerate(outcomes)
        if one.status == "translated" and not one.language_specific
    }
    attempts = shard.pipeline.translator.attempts
    found = await answer_natively(questions, shard.target, attempts, shard.scheduler, shard.counts)
    for number, (response, reason) in found.items():
        outcome, [text] = outcomes[number], response.texts or [""]
        outcome.texts, outcome.answer, outcome.time = (
            {**outcome.texts, "output": text},
            "native",
            response.time,
        )
        if reason:
            outcome.status, outcome.rejection = "rejected", Rejection(reason, "output", response.detail)
