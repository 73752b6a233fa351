"""The samples that lm-evaluation-harness logs of a task that `crossin bench export` made.

A run of `lm_eval --log_samples` leaves `samples_<task>_<date>.jsonl` for each task: a benchmark's answers in
one language and wording. The files of one folder, date and benchmark are one model's predictions, and any of
them stands for all (docs/lm-eval.md).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError, located
from crossin.core.paths import folder_name
from crossin.corpus.reading.records import read_records
from crossin.logs.answers import LoggedAnswers
from crossin.logs.evaluation import completed
from crossin.logs.formats import Files, LogFormat
from crossin.logs.lines import Line, checked, named_option, with_thoughts_begun
from crossin.logs.options import LogOptions

_NAME = re.compile(r"samples_.+_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
# The fields of an exported question that an answer needs.
_TEXTS = ("benchmark", "item", "group", "task", "language", "wording", "gold")
_HINT = "run lm_eval with --log_samples on a folder that `crossin bench export --to lm-eval` wrote"


def is_samples(file: Path) -> bool:
    """Whether a file is named as lm-eval names its logged samples."""
    return _NAME.fullmatch(file.name) is not None


def run_of(file: Path) -> list[Path]:
    """The files of logged samples of the same run as `file`: same folder, date and benchmark."""
    date, benchmark = _date(file), _benchmark(file)
    if benchmark is None:
        return [file]
    beside = (other for other in file.parent.glob("samples_*.jsonl") if is_samples(other))
    return sorted(other for other in beside if _date(other) == date and _benchmark(other) == benchmark)


def _recognises(file: Path) -> bool:
    return is_samples(file) and _benchmark(file) is not None


def _runs(files: Sequence[Path]) -> list[Files]:
    return list(dict.fromkeys(tuple(run_of(file)) for file in files))


def _read(files: Files, options: LogOptions) -> list[LoggedAnswers]:
    # lm-eval names the folder after the model's path, with __ for each slash.
    model = folder_name(files[0]).rpartition("__")[2] or folder_name(files[0])
    return [completed(model, files[0], {file: read_samples(file) for file in files}, options)]


def read_samples(file: Path) -> list[Line]:
    """The lines of one file of logged samples, in the form of `answers.parquet`, and `greedy`: whether each
    option is what the model would have generated.

    The answer is the option with the largest log-probability, the first of equals, as in lm-eval's `acc`.
    Raises CrossinError, with the row, for a sample of another task, or with missing or invalid
    log-probabilities.
    """
    lines: list[Line] = []
    with located(file, hint=_HINT):
        for row, sample in read_records(file):
            with located(row=row):
                lines.append(_line(sample))
    return with_thoughts_begun(checked(lines, file))


def _date(file: Path) -> str:
    found = _NAME.fullmatch(file.name)
    return found["date"] if found else ""


def _benchmark(file: Path) -> str | None:
    """The exported benchmark that the samples answer, from their first line; None for other tasks."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        first = lines.readline()
    try:
        sample = json.loads(first)
    except ValueError as error:
        message = "does not begin with a sample" if first.strip() else "holds no answers"
        raise CrossinError(message, file=file, row=1, hint=f"remove the file, or {_HINT}") from error
    doc = sample.get("doc") if isinstance(sample, dict) else None
    benchmark = doc.get("benchmark") if isinstance(doc, dict) and "option_ids" in doc else None
    return benchmark if isinstance(benchmark, str) else None


def _line(sample: Any) -> Line:
    doc = sample.get("doc") if isinstance(sample, dict) else None
    if not isinstance(doc, dict):
        raise CrossinError("missing: not a sample of lm-eval", field="doc")
    for name in _TEXTS:
        if not isinstance(doc.get(name), str):
            raise CrossinError("missing: not a task that crossin exported", field=f"doc.{name}")
    ids, found = doc.get("option_ids"), sample.get("filtered_resps")
    if not isinstance(ids, list):
        raise CrossinError("not a list: not a task that crossin exported", field="doc.option_ids")
    if not isinstance(found, list) or not found:
        raise CrossinError("expected a list of what the model answered", field="filtered_resps")
    line: Line = {
        **{name: doc[name] for name in ("item", "group", "task", "language", "gold")},
        "prompt": doc["wording"],
        "option_ids": ids,
        **{name: doc[name] for name in ("aliases", "answer_type") if name in doc},
    }
    return {**line, **(_scored(ids, found) if "choices" in doc else _generated(doc, ids, found[0]))}


def _generated(doc: dict[str, Any], ids: list[str], reply: Any) -> Line:
    options, shown = doc.get("options"), doc.get("shown")
    if not isinstance(reply, str) or not isinstance(options, list) or len(options) != len(ids):
        raise CrossinError("not a reply to the question", field="filtered_resps")
    if options and (not isinstance(shown, list) or sorted(map(str, shown)) != sorted(map(str, ids))):
        raise CrossinError("not the list of options in the prompt", field="doc.shown")
    texts = dict(zip(ids, options, strict=True))
    answer = named_option(reply, texts, shown, doc["language"]) if shown else None
    return {"reply": reply, "shown": shown, "answer": answer}


def _scored(ids: list[str], found: list[Any]) -> Line:
    if len(found) != len(ids):
        raise CrossinError(f"{len(found)} log-probabilities for {len(ids)} options", field="filtered_resps")
    try:
        pairs = [(float(logprob), str(greedy) == "True") for logprob, greedy in found]
    except (TypeError, ValueError) as error:
        raise CrossinError(
            "expected log-probabilities, each with whether it is greedy", field="filtered_resps"
        ) from error
    logprobs = [logprob for logprob, _ in pairs]
    if any(map(math.isnan, logprobs)):
        raise CrossinError("a log-probability is not a number (nan)", field="filtered_resps")
    # `max` takes the first of equals, as numpy's argmax does.
    answer = ids[max(range(len(ids)), key=logprobs.__getitem__)]
    return {"logprobs": logprobs, "greedy": [greedy for _, greedy in pairs], "answer": answer}


FORMAT = LogFormat(_recognises, _runs, _read)
