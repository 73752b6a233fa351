"""For the manifest's report alone: how much answers agree, and how many are right where that is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from crossin.items.item import Item
from crossin.languages.numbers import last_number
from crossin.languages.segmentation import units
from crossin.metrics.bootstrap import Figure, resample
from crossin.metrics.families import mean_family
from crossin.teaching.judging import Judgement
from crossin.teaching.questions import Questions


def figures(questions: Questions, judgements: Sequence[Judgement]) -> dict[str, Any]:
    """`agreement`: the mean share of a question's answers that mean the most frequent. `right`: of the
    questions whose right answer is known, the share that this one is right of, among those kept and among
    those left out for being uncertain. Each with its 95% interval (bootstrap over groups); null where it is
    not defined.
    """
    groups = {name: next(iter(items.values())).group for name, items in questions.items.items()}
    found: dict[str, Any] = {
        "agreement": mean_of(
            [one.agreement for one in judgements], [groups[one.question] for one in judgements]
        )
    }
    right: dict[str, Any] = {}
    for name, left_out in (("kept", False), ("left_out", True)):
        judged = [
            one for one in judgements if bool(one.reason) is left_out and one.question in questions.golds
        ]
        values = [means_gold(one.meaning, questions.golds[one.question]) for one in judged]
        right[name] = mean_of(values, [groups[one.question] for one in judged])
    return {**found, "right": right}


def means_gold(meaning: str | None, gold: Item) -> bool:
    """Whether what an answer means is what the right answer does."""
    if meaning is None:
        return False
    if not gold.free_text:
        return meaning == gold.answer
    if gold.inventory:
        return meaning == gold.entity
    if gold.answer_type == "number":
        return any(meaning in map(str, last_number(text, gold.language)) for text in gold.right_texts)
    return meaning in (" ".join(units(text)) for text in gold.right_texts)


def mean_of(values: Sequence[float], groups: Sequence[str]) -> dict[str, float | int | None] | None:
    """The mean, its interval, and the number of values; None without any."""
    if not values:
        return None
    family = mean_family("mean", ["all"], np.array(values, dtype=np.float64)[:, None])
    figure: Figure = resample([family], groups)["mean"]
    shown = {"value": figure.value, "low": figure.low, "high": figure.high}
    return {"of": len(values), **{name: None if math.isnan(one) else one for name, one in shown.items()}}
