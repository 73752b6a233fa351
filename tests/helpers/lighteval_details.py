"""Details in the form in which lighteval saves them (0.13.0, seen in a real run), and in the older one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DATE = "2026-01-02T03-04-05.678901"
Values = dict[str, Any]


def logprobs_of(number: int, right: bool) -> list[float]:
    """Log-probabilities of four choices: the right one, at the place `number` mod 4, or the next is best."""
    best = (number + (not right)) % 4
    return [-1.5 if place == best else -4.0 - place for place in range(4)]


def choice_detail(language: str, number: int, right: bool, metrics: Values | None = None) -> Values:
    """A question with four choices, whose log-probabilities were compared."""
    doc = {
        "query": f"{language} {number}?",
        "choices": [f" {language} {number}{end}" for end in "wxyz"],
        "gold_index": [number % 4],
        "id": str(number),
        "sampling_methods": ["LOGPROBS"],
        "num_samples": 1,
    }
    response = {
        "text": [],
        "text_post_processed": [],
        "logprobs": logprobs_of(number, right),
        "output_tokens": [[1, 2]] * 4,
        "unconditioned_logprobs": None,
    }
    return {"doc": doc, "metric": metrics or {"acc": int(right)}, "model_response": response}


def text_detail(language: str, number: int, reply: str, right: bool) -> Values:
    """A question that was answered in free text; its choices are the references."""
    doc = {
        "query": f"{language} {number}?",
        "choices": [f"{language} {number}", str(number)],
        "gold_index": [0, 1],
        "id": str(number),
        "sampling_methods": ["GENERATIVE"],
        "num_samples": 1,
    }
    response = {"text": [reply], "text_post_processed": [reply], "logprobs": [], "output_tokens": [[3]]}
    return {"doc": doc, "metric": {"em": int(right)}, "model_response": response}


def older(detail: Values) -> Values:
    """The same in the older form: a column for each value, lists as text."""
    doc, response = detail["doc"], detail["model_response"]
    pairs = [(value, False) for value in response["logprobs"]]
    return {
        "example": doc["query"],
        "full_prompt": doc["query"],
        "choices": repr(doc["choices"]),
        "gold_index": repr(doc["gold_index"]),
        "metrics": detail["metric"],
        "predictions": repr(pairs or response["text"]),
        "cont_tokens": repr(response["output_tokens"]),
    }


def write_details(
    out: Path,
    task: str,
    details: Sequence[Values],
    *,
    model: str = "org/model",
    date: str = DATE,
    shots: int = 0,
    results: Values | None = None,
) -> Path:
    """Write a task's details below `out`, and the results of the run where they are given."""
    import pyarrow
    import pyarrow.parquet

    folder = out / "details" / model / date
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"details_{task}|{shots}_{date}.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(details)), file)
    if results is not None:
        place = out / "results" / model
        place.mkdir(parents=True, exist_ok=True)
        content = {"results": {f"{task}|{shots}": results}, "config_tasks": {}}
        (place / f"results_{date}.json").write_text(json.dumps(content), encoding="utf-8")
    return file
