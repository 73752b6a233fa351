"""The samples that lm-evaluation-harness logs of one task, whatever version wrote them.

A sample has `doc`, `target`, `arguments` (contexts and continuations), `resps` and `filtered_resps` (what the
model answered), and a value for each metric. Numbers may be text, and lists objects of numbered fields.
"""

from __future__ import annotations

import gzip
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError, located
from crossin.core.reasons import Reason
from crossin.corpus.reading.records import read_records
from crossin.logs.reasons import RecordFault

NAME = re.compile(r"samples_(?P<task>.+?)(?:_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+))?\.jsonl?(?:\.gz|\.zst)?")
_HINT = "give the file as `lm_eval --log_samples` wrote it"
_CUT = "the run may have been interrupted while it wrote: run the task again, or remove the file"
# Of every sample; what else is a number is a metric.
_OWN = {"doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics"}


class SampleReason(Reason):
    """Why samples of a harness are left out."""

    REPEATED = "repeated_sample", "logged a second time, the same in all"
    NO_LANGUAGE = (
        "task_without_language",
        "no language in the task's name",
        "name the language there, or in a field `language` of every document",
    )
    NO_OPTIONS = "no_options", "the likelihood of one text, without options to choose from"
    ID_TWICE = "id_twice", "another document of the language has the same id"


@dataclass(frozen=True, eq=False)
class Sample:
    """One document's answer.

    `contexts` and `continuations` are by request. `logprobs` are those of the options, empty where the model
    wrote its answer: then `written` is all that it wrote, and `kept` what the filter left of it. `metrics`
    are by name, those of a filter with its name (`exact_match,flexible-extract`).
    """

    file: Path
    row: int
    doc_id: int
    doc: Mapping[str, Any]
    target: Any
    contexts: Sequence[str]
    continuations: Sequence[str]
    logprobs: Sequence[float]
    written: str | None
    kept: str | None
    metrics: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class TaskSamples:
    """The samples of one file, those of one filter; `filters` are all that the file has."""

    file: Path
    samples: list[Sample]
    filters: tuple[str, ...]
    repeated: int


def task_name(file: Path) -> str:
    """The name of the task in that of a file of samples; '' for other files."""
    found = NAME.fullmatch(file.name)
    return found["task"] if found else ""


def date_of(file: Path) -> str:
    """When the run ended, from the file's name; '' where it does not say."""
    found = NAME.fullmatch(file.name)
    return (found["date"] or "") if found else ""


def first_record(file: Path) -> dict[str, Any]:
    """The first record of a file of samples; of JSON lines, no more is read. Raises CrossinError where there
    is none.
    """
    if file.suffix != ".zst":
        try:
            with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as stream:
                line = stream.readline()
        except (OSError, EOFError, zlib.error) as error:
            raise CrossinError(f"cannot be read: {error}", file=file, hint=_CUT) from error
        if line.startswith(b"{"):
            try:
                record = json.loads(line)
            except ValueError as error:
                raise CrossinError("does not begin with a sample", file=file, row=1, hint=_CUT) from error
            return dict(record)
    for _, record in _records(file):
        return record
    raise CrossinError("holds no samples", file=file, hint=_CUT)


def is_sample(record: Mapping[str, Any]) -> bool:
    """Whether a record is a sample of the harness."""
    return isinstance(record.get("doc"), dict) and "doc_id" in record and "filtered_resps" in record


def left_out(record: Mapping[str, Any]) -> Reason | None:
    """Why a task whose samples are like this one cannot be read; None where it can."""
    responses = record.get("filtered_resps")
    if not isinstance(responses, list) or not responses:
        return None
    if all(_is_pair(one) for one in responses):
        own = record.get("acc")
        if isinstance(own, float) and own not in (0.0, 1.0):
            return RecordFault.SEVERAL_RIGHT
        if isinstance(record.get("target"), str) and re.fullmatch(r"\[\d+, .*\]", record["target"]):
            return RecordFault.SEVERAL_RIGHT
        return SampleReason.NO_OPTIONS if len(responses) == 1 else None
    return None if all(isinstance(one, str | list) for one in responses) else SampleReason.NO_OPTIONS


def read_task(file: Path, chosen: str | None) -> TaskSamples:
    """The samples of a file; `chosen` is the filter, by default the first. Raises CrossinError, with the row,
    for what is no sample, a document that is logged twice, and a filter that the file does not have.
    """
    by_filter: dict[str, dict[int, tuple[int, dict[str, Any]]]] = {}
    repeated = 0
    for row, record, name in _named_filters(list(_records(file))):
        with located(file, row, hint=_HINT):
            doc_id = record.get("doc_id")
            if not isinstance(record.get("doc"), dict) or not isinstance(doc_id, int):
                raise CrossinError("not a sample of lm-eval", field="doc")
            before = by_filter.setdefault(name, {}).setdefault(doc_id, (row, record))
        if before[0] == row:
            continue
        if before[1] != record:
            raise CrossinError(
                f"document {doc_id} was logged in row {before[0]} already, with another answer",
                file=file,
                row=row,
                field="doc_id",
                hint="two runs may have written to one file: keep the rows of one",
            )
        repeated += 1
    if not by_filter:
        raise CrossinError("holds no samples", file=file, hint=_CUT)
    filters = tuple(by_filter)
    if chosen is not None and chosen not in by_filter:
        raise CrossinError(
            f"there is no filter '{chosen}' here",
            file=file,
            field="filter",
            hint=f"choose: {', '.join(filters)}",
        )
    taken = by_filter[chosen or filters[0]]
    metrics = _metrics(by_filter if chosen is None else {chosen: taken})
    samples = []
    for doc_id, (row, record) in taken.items():
        with located(file, row, hint=_HINT):
            samples.append(_sample(file, row, record, metrics[doc_id]))
    return TaskSamples(file, samples, filters, repeated)


def _records(file: Path) -> list[tuple[int, dict[str, Any]]]:
    with located(file, hint=_CUT):
        return list(read_records(file))


def _named_filters(records: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any], str]]:
    """The records with the name of their filter. Older versions do not name it, and log all documents of one
    filter after those of the other: these are called 1, 2, ….
    """
    if any("filter" in record for _, record in records):
        return [(row, record, str(record.get("filter", "none"))) for row, record in records]
    documents = [record.get("doc_id") for _, record in records]
    times = set(Counter(map(str, documents)).values())
    if times and (most := max(times)) > 1 and len(times) == 1:
        size = len(records) // most
        parts = [records[at : at + size] for at in range(0, len(records), size)]
        once = all(documents[at : at + size] == documents[:size] for at in range(0, len(records), size))
        if once and any(part != parts[0] for part in _answers(parts)) and _same_replies(parts):
            return [(row, record, str(n)) for n, part in enumerate(parts, 1) for row, record in part]
    return [(row, record, "none") for row, record in records]


def _answers(parts: list[list[tuple[int, dict[str, Any]]]]) -> list[list[Any]]:
    return [[record.get("filtered_resps") for _, record in part] for part in parts]


def _same_replies(parts: list[list[tuple[int, dict[str, Any]]]]) -> bool:
    replies = [[record.get("resps") for _, record in part] for part in parts]
    return all(part == replies[0] for part in replies)


def _metrics(
    by_filter: Mapping[str, Mapping[int, tuple[int, dict[str, Any]]]],
) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    for name, records in by_filter.items():
        for doc_id, (_, record) in records.items():
            for metric, value in record.items():
                if metric in _OWN or metric.endswith("_hash") or not isinstance(value, bool | int | float):
                    continue
                # The harness leaves the filter `none` out in what it prints.
                known = metric if name == "none" else f"{metric},{name}"
                found.setdefault(doc_id, {})[known] = float(value)
    return {doc_id: found.get(doc_id, {}) for records in by_filter.values() for doc_id in records}


def _sample(file: Path, row: int, record: dict[str, Any], metrics: dict[str, float]) -> Sample:
    requests = [_pair(one) for one in _listed(record.get("arguments"))]
    filtered = record.get("filtered_resps")
    if not isinstance(filtered, list) or not filtered:
        raise CrossinError("expected a list of what the model answered", field="filtered_resps")
    logprobs: list[float] = []
    written = kept = None
    if all(_is_pair(one) for one in filtered):
        logprobs = [float(value) for value, _ in filtered]
        if any(map(math.isnan, logprobs)):
            raise CrossinError(
                "a log-probability is not a number (nan)", field="filtered_resps", hint="run the task again"
            )
        # `acc_mutual_info` asks for the options without their context, too.
        if "acc_mutual_info" in metrics and len(logprobs) % 2 == 0:
            logprobs = logprobs[: len(logprobs) // 2]
        if requests and len(requests) < len(logprobs):
            raise CrossinError(
                f"{len(logprobs)} log-probabilities for {len(requests)} requests", field="arguments"
            )
        requests = requests[: len(logprobs)]
    else:
        kept = _text(filtered)
        written = _text(_listed(record.get("resps"))) if "resps" in record else kept
        if kept is None and written is None:
            raise CrossinError("expected log-probabilities or a reply", field="filtered_resps")
    return Sample(
        file=file,
        row=row,
        doc_id=record["doc_id"],
        doc=record["doc"],
        target=record.get("target"),
        contexts=[context for context, _ in requests],
        continuations=[text for _, text in requests],
        logprobs=logprobs,
        written=written,
        kept=kept,
        metrics=metrics,
    )


def _is_pair(value: Any) -> bool:
    """A log-probability, with whether it is greedy."""
    if not isinstance(value, list | tuple) or len(value) != 2 or str(value[1]) not in ("True", "False"):
        return False
    try:
        float(value[0])
    except (TypeError, ValueError):
        return False
    return True


def _listed(value: Any) -> list[Any]:
    """A list, or the values of an object of numbered fields."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _pair(request: Any) -> tuple[str, str]:
    """Context and continuation; '' for the settings of a generation."""
    context, continuation, *_ = [*_listed(request), "", ""]
    return _as_text(context), continuation if isinstance(continuation, str) else ""


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _text(value: Any) -> str | None:
    """The first text in nested lists; None where there is none."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return value if isinstance(value, str) else None
