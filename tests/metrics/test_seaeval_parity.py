"""The published scores of SeaEval follow from its published predictions, to the last digit."""

from __future__ import annotations

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crossin.metrics import AnswerTable, accuracy, figures

SEAEVAL = Path(__file__).parents[3] / "shared" / "data" / "seaeval"
RUNS = [
    *(f"cross_mmlu/flan_t5_xl/zero_shot_p{prompt}" for prompt in range(1, 6)),
    "cross_mmlu/mistral_7b_v0_1/five_shot_p1",
    "cross_mmlu/gemma_2b/five_shot_p1",
    "cross_logiqa/flan_ul2/zero_shot_p1",
    "cross_logiqa/LLaMA_3_Merlion_8B/zero_shot_p1",
]
# These models reply with a label, in brackets or bare; what follows the label is its option's text.
LABEL = re.compile(r"\s*(?:\(([A-D])\)|([A-D])\s*$)")

# The last digit: sums in another order may differ by the rounding of one.
approx = partial(pytest.approx, rel=0, abs=1e-15)


def position(reply: str) -> int:
    label = LABEL.match(reply)
    return "ABCD".index(label[1] or label[2]) if label else -1


def answers(run: list[dict[str, Any]], languages: list[str]) -> AnswerTable:
    identifiers = tuple(item["id"] for item in run)
    return AnswerTable(
        items=identifiers,
        languages=tuple(languages),
        groups=identifiers,
        tasks=("knowledge",) * len(run),
        answers=np.array([[position(item[x]["model_prediction"]) for x in languages] for item in run]),
        gold=np.array([position(item["English"]["answer"]) for item in run]),
        options=np.array([len(item["English"]["choices"]) for item in run]),
    )


@pytest.mark.skipif(
    not SEAEVAL.is_dir(), reason="the SeaEval data (CC BY-NC, not in this repository) is absent"
)
@pytest.mark.parametrize("run", RUNS)
def test_published_scores_follow_from_published_predictions(run: str) -> None:
    predictions = json.loads((SEAEVAL / "runs" / f"{run}.json").read_text(encoding="utf-8"))
    published = json.loads((SEAEVAL / "runs" / f"{run}_score.json").read_text(encoding="utf-8"))
    table = answers(predictions, list(published["language_acc"]))
    ours = figures(table)
    assert ours["missing"] == 0
    by_language = dict(zip(table.languages, accuracy(table).tolist(), strict=True))
    assert by_language == approx(published["language_acc"])
    assert ours["accuracy"] == approx(published["overall_acc"])
    for s in range(2, 8):
        assert ours[f"consistency_{s}"] == approx(published[f"consistency_score_{s}"])
        assert ours[f"ac3_{s}"] == approx(published[f"AC3_{s}"])
