"""Records of lighteval's details as lines of answers.

lighteval logs what the model gave, and the value of each metric, but not which option it took for the answer.
The answer is the option that its metric chose (the likeliest, by the normalisation that gives the logged
values), or that a reply names; where the logged value says otherwise, that counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.bench.text_forms import opened
from crossin.core.errors import CrossinError
from crossin.items import Item
from crossin.logs.inspect_samples import letter
from crossin.logs.lines import Line, named_option
from crossin.logs.reasons import RecordFault

_HINT = "give a file of details that lighteval saved"
# Metrics that say whether an answer is right, the first that a record has; any other of the values 0 and 1
# comes after them.
_DECIDING = ("acc", "acc_norm", "acc_norm_token", "acc_norm_pmi", "extractive_match", "em", "qem", "pem")


@dataclass(frozen=True, eq=False)
class DetailRecord:
    """A record of any version. `logprobs` are the options' log-probabilities, `tokens` the numbers of their
    tokens, `bare` their log-probabilities without the question; each empty where it was not logged.
    """

    row: int
    name: str
    query: str
    choices: list[str]
    golds: list[int]
    replies: list[str]
    logprobs: list[float]
    tokens: list[int]
    bare: list[float]
    metrics: dict[str, float]


def record_of(row: int, values: dict[str, Any], file: Path) -> DetailRecord:
    """A record from the columns of its row. Raises CrossinError where it is not one of lighteval's."""
    whole = isinstance(values.get("doc"), dict)
    doc = values["doc"] if whole else values
    response = values.get("model_response") or {}
    metrics = opened(values.get("metric" if whole else "metrics")) or {}
    choices, golds = opened(doc.get("choices")), opened(doc.get("gold_index"))
    if not isinstance(choices, list) or not isinstance(metrics, dict) or not isinstance(response, dict):
        raise CrossinError("not a record of lighteval", file=file, row=row, field="choices", hint=_HINT)
    predictions = opened(values.get("predictions"))
    old = predictions if isinstance(predictions, list) else []
    # Of several shapes: a text or a number for each option, or a number with whether it is greedy.
    firsts = [one[0] if isinstance(one, list | tuple) and one else one for one in old]
    logprobs = response.get("logprobs") if whole else [one for one in firsts if isinstance(one, float | int)]
    replies = response.get("text_post_processed") or response.get("text")
    if not whole:
        replies = [one for one in firsts if isinstance(one, str)]
    tokens = response.get("output_tokens") or opened(values.get("cont_tokens")) or []
    count = len(choices)
    found = [float(one) for one in logprobs or []]
    return DetailRecord(
        row=row,
        name=str(doc.get("id") or "") if whole else "",
        query=str(doc.get("query") or doc.get("example") or ""),
        choices=[str(one) for one in choices],
        golds=[int(one) for one in (golds if isinstance(golds, list) else [golds]) if _is_whole(one)],
        replies=[str(one) for one in replies or []],
        logprobs=found[:count],
        tokens=[len(one) for one in tokens[:count] if isinstance(one, list)],
        bare=[float(one) for one in response.get("unconditioned_logprobs") or found[count : 2 * count]],
        metrics={
            str(name): float(value)
            for name, value in metrics.items()
            if isinstance(value, int | float) and not math.isnan(value)
        },
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and value.isdecimal())


def lines_of_task(
    records: Sequence[DetailRecord], benchmark: str, part: str, language: str
) -> list[tuple[Line, Item] | str]:
    """Each record of a task as a line and what was asked, or the reason code why it is left out."""
    scored = [one for one in records if len(one.logprobs) == len(one.choices) > 1]
    values = _values(scored)
    return [_line(one, benchmark, part, language, values) for one in records]


def contradictions(records: Sequence[DetailRecord], lines: Sequence[tuple[Line, Item] | str]) -> int:
    """Of how many records with log-probabilities the answer is not the option of the largest value."""
    count = 0
    for record, made in zip(records, lines, strict=True):
        if isinstance(made, str) or not record.logprobs or not made[0]["option_ids"]:
            continue
        line = made[0]
        best = max(range(len(record.choices)), key=(line.get("values") or record.logprobs).__getitem__)
        count += line["answer"] != line["option_ids"][best]
    return count


Values = Callable[[DetailRecord], list[float]]


def _by_characters(record: DetailRecord) -> list[float]:
    return [value / max(len(text), 1) for value, text in zip(record.logprobs, record.choices, strict=True)]


def _by_characters_after_a_space(record: DetailRecord) -> list[float]:
    lengths = [max(len(text.removeprefix(" ")), 1) for text in record.choices]
    return [value / length for value, length in zip(record.logprobs, lengths, strict=True)]


def _by_tokens(record: DetailRecord) -> list[float]:
    if len(record.tokens) != len(record.logprobs) or 0 in record.tokens:
        return record.logprobs
    return [value / count for value, count in zip(record.logprobs, record.tokens, strict=True)]


def _by_bare(record: DetailRecord) -> list[float]:
    if len(record.bare) != len(record.logprobs):
        return record.logprobs
    return [value - bare for value, bare in zip(record.logprobs, record.bare, strict=True)]


# By the name of its metric: how lighteval compares options. Two of them have one name.
_COMPARED: dict[str, tuple[Values, ...]] = {
    "acc": (lambda record: record.logprobs,),
    "acc_norm": (_by_characters, _by_characters_after_a_space, _by_tokens),
    "acc_norm_token": (_by_tokens,),
    "acc_norm_pmi": (_by_bare,),
}


def _values(records: Sequence[DetailRecord]) -> Values:
    """What options are compared by: of the ways of the metric that decides, the one that gives most of the
    logged values.
    """
    name = _deciding(records[0]) if records else "acc"
    ways = _COMPARED.get(name, _COMPARED["acc"])

    def agreeing(way: Values) -> int:
        return sum((_best(way(one)) in one.golds) == (one.metrics.get(name) == 1) for one in records)

    return max(ways, key=agreeing)


def _best(values: Sequence[float]) -> int:
    # The first of equals, as numpy's argmax.
    return max(range(len(values)), key=values.__getitem__)


def _deciding(record: DetailRecord) -> str:
    """The metric that says whether the answer is right; '' where none does."""
    names = [name for name in _DECIDING if name in record.metrics] + list(record.metrics)
    return next((name for name in names if record.metrics[name] in (0, 1)), "")


def _line(
    record: DetailRecord, benchmark: str, part: str, language: str, values: Values
) -> tuple[Line, Item] | str:
    name = record.name or str(record.row - 1)
    name = f"{part}/{name}" if part else name
    if not record.golds or not all(0 <= gold < len(record.choices) for gold in record.golds):
        return RecordFault.NO_GOLD
    golds = list(dict.fromkeys(record.golds))
    # The choices of a question in free text are its references.
    free = not record.logprobs and len(golds) == len(record.choices)
    if not free and len(golds) > 1:
        return RecordFault.SEVERAL_RIGHT
    ids = [] if free else [letter(place) for place in range(len(record.choices))]
    references = [record.choices[gold].strip() for gold in golds]
    if free and not references[0]:
        return RecordFault.NO_GOLD
    line: Line = {
        "item": name,
        "group": name,
        "task": part or benchmark,
        "language": language,
        "prompt": "",
        "option_ids": ids,
        "gold": references[0] if free else ids[golds[0]],
        "answer": None,
        "reply": record.replies[0] if record.replies else None,
    }
    if free:
        line |= {"aliases": references[1:], "answer_type": "text"}
    elif not record.replies and len(record.logprobs) != len(ids):
        return RecordFault.NOT_SCORED
    else:
        line |= _answered(record, line, values, language)
    item = Item(
        item=name,
        group=name,
        task=line["task"],
        language=language,
        context="",
        question=record.query,
        options=[] if free else [text.strip() for text in record.choices],
        option_ids=ids,
        answer=line["gold"],
        source=f"lighteval: {benchmark}",
        licence="",
        aliases=line.get("aliases", []),
    )
    return line, item


def _answered(record: DetailRecord, line: Line, values: Values, language: str) -> Line:
    """The answer to a multiple-choice question, and what it was chosen by."""
    ids: list[str] = line["option_ids"]
    found: Line = {}
    if len(record.logprobs) == len(ids):
        by = values(record)
        found = {"logprobs": record.logprobs} if by == record.logprobs else {"values": by}
        answer: str | None = ids[_best(by)]
    else:
        texts = {one: text.strip() for one, text in zip(ids, record.choices, strict=True)}
        answer = named_option(record.replies[0], texts, ids, language)
    deciding = _deciding(record)
    if deciding and (record.metrics[deciding] == 1) != (answer == line["gold"]):
        answer = line["gold"] if record.metrics[deciding] == 1 else None
    return {**found, "answer": answer}
