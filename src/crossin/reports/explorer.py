"""The data of the item explorer: every question in every language, with each run's answer."""

from __future__ import annotations

import math
from typing import Any

from crossin.metrics.table import MISSING
from crossin.reports.plots import run_styles
from crossin.reports.results import Results, Run
from crossin.reports.summary import Summary


def explorer_data(summary: Summary) -> dict[str, Any]:
    """The explorer's data; options are in the first language's order, and an answer is a position in it. The
    texts of a question are null in a language in which it was not asked.
    """
    results = summary.results
    table = results.runs[0].table
    contexts: dict[str, int] = {}
    return {
        "arms": run_styles(summary),
        "baseline": results.names.index(results.baseline),
        "languages": [
            {"code": language.code, "name": language.name, "direction": language.direction}
            for language in results.languages
        ],
        "items": [
            _item(results, item, task, group, contexts)
            for item, task, group in zip(results.items, table.tasks, table.groups, strict=True)
        ],
        # A paragraph that several questions share is stored once.
        "contexts": list(contexts),
    }


def _item(results: Results, item: str, task: str, group: str, contexts: dict[str, int]) -> dict[str, Any]:
    codes = [language.code for language in results.languages]
    versions = [results.questions.get((item, code)) for code in codes]
    first = next(filter(None, versions))
    order = list(first["option_ids"])
    texts: list[list[Any] | None] = []
    for question in versions:
        if question is None:
            texts.append(None)
            continue
        options = dict(zip(question["option_ids"], question["options"], strict=True))
        context = question["context"] or ""
        place = contexts.setdefault(context, len(contexts)) if context else MISSING
        texts.append([question["question"], place, [options.get(option, "") for option in order]])
    return {
        "id": item,
        "task": task,
        "group": group,
        "ids": order,
        "gold": _place(order, first["answer"]),
        "texts": texts,
        "answers": [
            [_place(order, run.cells.get((item, code), {}).get("answer")) for code in codes]
            for run in results.runs
        ],
        "logprobs": [[_logprobs(run, item, code, order) for code in codes] for run in results.runs],
    }


def _place(order: list[str], option: str | None) -> int:
    return order.index(option) if option in order else MISSING


def _logprobs(run: Run, item: str, code: str, order: list[str]) -> list[float | None]:
    cell = run.cells.get((item, code), {})
    found = dict(zip(cell.get("option_ids", ()), cell.get("logprobs") or [], strict=False))
    return [_rounded(found.get(option)) for option in order]


def _rounded(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 2)
