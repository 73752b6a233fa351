"""The samples that lm-evaluation-harness logs of a task that `crossin bench export` made.

A run of `lm_eval --log_samples` leaves `samples_<task>_<date>.jsonl` for each task: a benchmark's answers in
one language and wording. The files of one folder, date and benchmark are one model's predictions, and any of
them stands for all (docs/lm-eval.md).
"""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.scoring.lines import Line, checked, json_lines, named_option

_NAME = re.compile(r"samples_.+_(?P<date>\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl")
# The fields of an exported question that an answer needs.
_TEXTS = ("benchmark", "item", "group", "task", "language", "wording", "gold")
_FIX = "run lm_eval with --log_samples on a folder that `crossin bench export --to lm-eval` wrote"


def is_samples(file: Path) -> bool:
    """Whether a file is called as lm-eval calls its logged samples."""
    return _NAME.fullmatch(file.name) is not None


def run_of(file: Path) -> list[Path]:
    """The files of logged samples that belong to one run with `file`: same folder, date and benchmark."""
    date, benchmark = _date(file), _benchmark(file)
    if benchmark is None:
        return [file]
    beside = (other for other in file.parent.glob("samples_*.jsonl") if is_samples(other))
    return sorted(other for other in beside if _date(other) == date and _benchmark(other) == benchmark)


def runs_in(folder: Path) -> list[Path]:
    """One file of each run in a folder, at any depth, that answers a benchmark which crossin exported."""
    found: dict[tuple[Path, str, str], Path] = {}
    for file in sorted(folder.rglob("samples_*.jsonl")):
        if is_samples(file) and (benchmark := _benchmark(file)) is not None:
            found.setdefault((file.parent, _date(file), benchmark), file)
    return list(found.values())


def read_samples(file: Path) -> list[Line]:
    """The lines of one file of logged samples, in the form of `answers.parquet`, and `greedy`: whether each
    option is what the model would have said.

    The answer is the option with the largest log-probability, the first where two are equal, as in lm-eval's
    `acc`. Raises CrossinError, with the row, for a sample of another task, without as many log-probabilities
    as options, or with one that is no number.
    """
    return checked([_line(told, file, row) for row, told in enumerate(json_lines(file), start=1)], file)


def _date(file: Path) -> str:
    found = _NAME.fullmatch(file.name)
    return found["date"] if found else ""


def _benchmark(file: Path) -> str | None:
    """The exported benchmark that the samples answer, which their first line tells; None for other tasks."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        first = lines.readline()
    try:
        told = json.loads(first)
    except ValueError as error:
        message = "does not begin with a sample" if first.strip() else "holds no answers"
        raise CrossinError(message, file=file, row=1, hint=f"remove the file, or {_FIX}") from error
    doc = told.get("doc") if isinstance(told, dict) else None
    benchmark = doc.get("benchmark") if isinstance(doc, dict) and "option_ids" in doc else None
    return benchmark if isinstance(benchmark, str) else None


def _line(told: Any, file: Path, row: int) -> Line:
    def wrong(message: str, field: str) -> CrossinError:
        return CrossinError(message, file=file, row=row, field=field, hint=_FIX)

    doc = told.get("doc") if isinstance(told, dict) else None
    if not isinstance(doc, dict):
        raise wrong("is not there: this is no sample of lm-eval's", "doc")
    for name in _TEXTS:
        if not isinstance(doc.get(name), str):
            raise wrong("is not there: the task is none that crossin exported", f"doc.{name}")
    ids, found = doc.get("option_ids"), told.get("filtered_resps")
    if not isinstance(ids, list):
        raise wrong("is no list: the task is none that crossin exported", "doc.option_ids")
    if not isinstance(found, list) or not found:
        raise wrong("is no list of what the model answered", "filtered_resps")
    line: Line = {
        **{name: doc[name] for name in ("item", "group", "task", "language", "gold")},
        "prompt": doc["wording"],
        "option_ids": ids,
    }
    if "choices" not in doc:
        reply = found[0]
        options, shown = doc.get("options"), doc.get("shown")
        if not isinstance(reply, str) or not isinstance(options, list) or len(options) != len(ids):
            raise wrong("is no reply to the question", "filtered_resps")
        if options and (not isinstance(shown, list) or sorted(map(str, shown)) != sorted(map(str, ids))):
            raise wrong("is not the list that the prompt showed", "doc.shown")
        texts = dict(zip(ids, options, strict=True))
        answer = named_option(reply, texts, shown) if shown else None
        return {**line, "reply": reply, "shown": shown, "answer": answer}
    if len(found) != len(ids):
        raise wrong(f"are {len(found)} log-probabilities of {len(ids)} options", "filtered_resps")
    try:
        pairs = [(float(logprob), greedy) for logprob, greedy in found]
    except (TypeError, ValueError) as error:
        raise wrong(
            "is no list of log-probabilities, each with whether it is greedy", "filtered_resps"
        ) from error
    logprobs = [logprob for logprob, _ in pairs]
    if any(map(math.isnan, logprobs)):
        raise wrong("holds a log-probability that is no number (nan)", "filtered_resps")
    # `max` takes the first of equals, as numpy's argmax does.
    answer = ids[max(range(len(ids)), key=logprobs.__getitem__)]
    return {
        **line,
        "logprobs": logprobs,
        "greedy": [str(one) == "True" for _, one in pairs],
        "answer": answer,
    }
