"""One shard: some rows into one language. Asked, judged together, what failed asked again in another way.

What bands of length and the like are learned from are the shard's own rows, so that its outcome is the same
whoever makes it, and in whatever order.
"""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from crossin.core.formats import FIELDS
from crossin.translation.asking import Dated, Wanted, Work
from crossin.translation.cutting import By, CutRow, cut, put_together
from crossin.translation.engine import Ask, Engine
from crossin.translation.filters.judge import Standard, judge, learn
from crossin.translation.filters.look import Look, look
from crossin.translation.filters.pair import Pair, Verdict
from crossin.translation.filters.quality import QualityModel
from crossin.translation.filters.round_trip import round_trip
from crossin.translation.native import answer_natively
from crossin.translation.rows import Row
from crossin.translation.task_bound import bound

TaskBound = Literal["skip", "keep", "instruction"]
Fate = Literal["translated", "kept", "left out", "rejected"]


@dataclass(frozen=True)
class Setup:
    """How rows are translated.

    `task_bound` says what becomes of rows that are bound to their language; `glossary` holds terms by target
    language. `native`: the engine answers the translated instruction itself, instead of translating the
    output. `round_trip` is the least chrF of a translation put back into the source's language, `quality` a
    model that estimates how good a translation is.
    """

    engine: Engine
    source: str
    task_bound: TaskBound = "skip"
    native: bool = False
    glossary: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    round_trip: float | None = None
    quality: QualityModel | None = None


@dataclass
class Outcome:
    """What became of a row in one language.

    `texts` are what is kept, or of a rejected row the last that the engine gave, if any. `bound` says why a
    row is bound to its language, and `reason`, `field` and `detail` why it was rejected. `attempts` is how
    often the row was asked, `time` when the last answer came, `figures` are the gates', and `answer` says
    whether the output is a translation or a model's own answer.
    """

    row: Row
    fate: Fate
    texts: Mapping[str, str]
    bound: str = ""
    reason: str = ""
    field: str = ""
    detail: str = ""
    attempts: int = 0
    time: str = ""
    figures: Mapping[str, float] = dataclasses.field(default_factory=dict)
    answer: Literal["translation", "native"] = "translation"


def ways(engine: Engine) -> list[tuple[By, int]]:
    """How a row is cut and which attempt the engine is told, one entry for each time that it may be asked."""
    if engine.unit == "row":
        # The last time in smaller parts.
        return [("text", number) for number in range(engine.attempts - 1)] + [
            ("paragraph", engine.attempts - 1)
        ]
    whole: list[tuple[By, int]] = [] if engine.by_span else [("sentence", 0)]
    return whole + [("span", number) for number in range(engine.attempts)]


def translate_rows(
    setup: Setup,
    rows: Sequence[Row],
    target: str,
    heard: Callable[[int, str], None] = lambda _count, _note: None,
) -> Work[list[Outcome]]:
    """The outcome of each row, in their order. `heard` is told, as answers come, how many more rows have all
    of theirs for the first time, and whether they are asked again.
    """
    outcomes: list[Outcome] = []
    pending: dict[int, dict[str, str]] = {}
    for number, row in enumerate(rows):
        reason = bound(row.texts["instruction"], row.texts["input"], row.texts["output"], setup.source)
        fate: Fate = "rejected"
        if not reason:
            pending[number] = dict(row.texts)
            if setup.native:
                pending[number]["output"] = ""
        elif setup.task_bound == "instruction":
            pending[number] = {"instruction": row.texts["instruction"]}
        else:
            fate = "kept" if setup.task_bound == "keep" else "left out"
        outcomes.append(Outcome(row, fate, row.texts if fate != "rejected" else {}, reason))
    heard(len(rows) - len(pending), "")
    standard: Standard | None = None
    for number, (by, attempt) in enumerate(ways(setup.engine)):
        if pending:
            count, again = (0, f"{len(pending):,} rows again") if number else (1, "")
            fresh = yield from _round(setup, target, pending, by, attempt, partial(heard, count, again))
            for row_number in pending:
                outcomes[row_number].attempts += 1
            looks = [one.look for _, one in sorted(fresh.items()) if one.look is not None]
            # Learned from the first round, unless that gave little but trouble.
            if standard is None or standard.rows < len(looks):
                standard = yield partial(learn, looks, setup.source, target)
            verdicts = yield partial(judge, looks, standard)
            yield from _settle(setup, target, pending, fresh, verdicts, outcomes)
    if setup.native:
        yield from _answer(setup, target, outcomes)
    return outcomes


def _round(
    setup: Setup,
    target: str,
    texts: Mapping[int, Mapping[str, str]],
    by: By,
    attempt: int,
    heard: Callable[[], None],
) -> Work[dict[int, _Fresh]]:
    """Every row asked once in one way, and looked at as soon as all its answers are there."""
    glossary = setup.glossary.get(target, {})
    cuts = {
        number: cut(fields, setup.source, target, by, attempt, glossary) for number, fields in texts.items()
    }
    waiting: dict[Ask, list[int]] = defaultdict(list)
    missing = {number: len(set(one.asks)) for number, one in cuts.items()}
    for number, one in cuts.items():
        for ask in dict.fromkeys(one.asks):
            waiting[ask].append(number)
    answers: dict[Ask, Dated] = {}
    fresh: dict[int, _Fresh] = {}

    def finish(number: int) -> None:
        # Of what is finished nothing is kept but the texts: a shard may be large.
        row = cuts.pop(number)
        given = [answers[ask] for ask in row.asks]
        fresh[number] = _fresh(texts[number], row, given, setup.source, target)
        heard()

    def hear(ask: Ask, dated: Dated) -> None:
        answers[ask] = dated
        for number in waiting[ask]:
            missing[number] -= 1
            if not missing[number]:
                finish(number)
        if by == "text":
            del waiting[ask], answers[ask]

    for number, count in missing.items():
        if not count:
            finish(number)
    yield Wanted(list(waiting), hear)
    return fresh


@dataclass(frozen=True)
class _Fresh:
    """What one round gave of a row: its texts with a look at them, or the trouble."""

    texts: Mapping[str, str] | None
    trouble: str
    look: Look | None
    time: str


def _fresh(
    source_texts: Mapping[str, str], row: CutRow, answers: Sequence[Dated], source: str, target: str
) -> _Fresh:
    time = max((dated.time for dated in answers), default="")
    texts, trouble = put_together(row, [dated.answer for dated in answers])
    if texts is None:
        return _Fresh(None, trouble, None, time)
    pair = Pair(
        {field: source_texts.get(field, "") for field in FIELDS},
        {field: texts.get(field, "") for field in FIELDS},
        any(dated.answer.cut for dated in answers),
    )
    return _Fresh(texts, "", look(pair, source, target), time)


def _settle(
    setup: Setup,
    target: str,
    pending: dict[int, dict[str, str]],
    fresh: Mapping[int, _Fresh],
    verdicts: Sequence[Verdict],
    outcomes: list[Outcome],
) -> Work[None]:
    """Note what a round gave, and take what passes out of `pending`. The verdicts are those on the rows that
    have texts, in the rows' order.
    """
    seen = [number for number in sorted(fresh) if fresh[number].texts is not None]
    judged = dict(zip(seen, verdicts, strict=True))
    for number, one in fresh.items():
        outcome = outcomes[number]
        outcome.time = one.time
        if one.texts is None:
            outcome.reason, outcome.field, outcome.detail = _told(one.trouble)
            continue
        verdict = judged[number]
        outcome.texts, outcome.figures = dict(one.texts), verdict.figures
        outcome.reason, outcome.field, outcome.detail = verdict.reason, verdict.field, verdict.detail
    good = [number for number in seen if not outcomes[number].reason]
    pairs = {number: (pending[number], outcomes[number].texts) for number in good}
    if setup.round_trip is not None:
        by, _ = ways(setup.engine)[0]
        figures = yield from round_trip(list(pairs.values()), setup.source, target, by)
        _take(dict(zip(pairs, figures, strict=True)), "round trip", setup.round_trip, outcomes)
    if setup.quality is not None:
        figures = yield partial(setup.quality.scores, list(pairs.values()))
        _take(dict(zip(pairs, figures, strict=True)), "quality", setup.quality.least, outcomes)
    good = [number for number in good if not outcomes[number].reason]
    for number in good:
        outcome = outcomes[number]
        outcome.fate, outcome.texts = "translated", {**outcome.row.texts, **outcome.texts}
        del pending[number]


def _answer(setup: Setup, target: str, outcomes: list[Outcome]) -> Work[None]:
    """Have the translated instructions answered; one without a good answer is rejected."""
    chosen = [number for number, one in enumerate(outcomes) if one.fate == "translated" and not one.bound]
    questions = {
        number: "\n\n".join(filter(None, (outcomes[number].texts[name] for name in ("instruction", "input"))))
        for number in chosen
    }
    found = yield from answer_natively(questions, target, setup.engine.attempts)
    for number, (text, reason, time) in found.items():
        outcome = outcomes[number]
        outcome.texts, outcome.answer = {**outcome.texts, "output": text}, "native"
        outcome.time = time
        if reason:
            outcome.fate, outcome.reason, outcome.field = "rejected", reason, "output"


def _take(figures: Mapping[int, float], name: str, least: float, outcomes: list[Outcome]) -> None:
    """Add a figure to the rows' others, and a reason where it is below the least."""
    for number, figure in figures.items():
        outcome = outcomes[number]
        outcome.figures = {**outcome.figures, name: figure}
        if figure < least and not outcome.reason:
            outcome.reason, outcome.detail = f"{name} too low", f"{figure:.3g}, at least {least:g} is wanted"


def _told(trouble: str) -> tuple[str, str, str]:
    """Reason, field and detail of a trouble, which is told as `reason: detail`, or with its field before."""
    first, _, rest = trouble.partition(": ")
    where, rest = (first, rest) if first in FIELDS else ("", trouble)
    reason, _, detail = rest.partition(": ")
    return reason, where, detail
