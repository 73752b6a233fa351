"""SeaEval's published scores follow from its published replies: to the last digit, or within its draws."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from crossin.logs.seaeval import read_log
from crossin.metrics.seaeval import seaeval_scores
from crossin.metrics.table import MISSING
from crossin.scoring.seaeval import aligned_table, seaeval_chances
from tests.helpers.paths import REAL_DATA

RUNS = REAL_DATA / "seaeval" / "runs"
DECIDED = [
    *(f"cross_mmlu/flan_t5_xl/zero_shot_p{prompt}" for prompt in range(1, 6)),
    "cross_mmlu/mistral_7b_v0_1/five_shot_p1",
    "cross_mmlu/gemma_2b/five_shot_p1",
    "cross_mmlu/mt0_xxl/zero_shot_p1",
    "cross_logiqa/flan_ul2/zero_shot_p1",
    "cross_logiqa/LLaMA_3_Merlion_8B/zero_shot_p1",
]
# How many replies name no option by SeaEval's rule: there it drew one, without a seed.
DRAWN = {
    "cross_mmlu/gemma_7b_it/zero_shot_p1": 385,
    "cross_mmlu/gpt4_1106_preview/zero_shot_p1": 18,
    "cross_mmlu/meta_llama_3_8b_instruct/zero_shot_p1": 26,
}
ROUNDING = 1e-12

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not RUNS.is_dir(), reason="the SeaEval data (CC BY-NC, not in this repository) is absent"
    ),
]


def published(run: str) -> dict[str, Any]:
    scores: dict[str, Any] = json.loads((RUNS / f"{run}_score.json").read_text(encoding="utf-8"))
    return scores


def flat(scores: dict[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    for name, value in scores.items():
        if isinstance(value, dict):
            yield from flat(value, f"{path}{name}/")
        else:
            yield path + name, value


@pytest.mark.parametrize("run", DECIDED)
def test_every_published_number_is_reproduced(run: str) -> None:
    log = read_log(RUNS / f"{run}.json")
    table = aligned_table(log)
    assert (table.answers != MISSING).all()
    ours, theirs = (
        list(flat(seaeval_scores(seaeval_chances(log), table.gold, log.names))),
        list(flat(published(run))),
    )
    assert len(theirs) == 140
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    assert [value for _, value in ours] == pytest.approx([value for _, value in theirs], rel=0, abs=ROUNDING)


@pytest.mark.parametrize("run", DRAWN)
def test_published_numbers_are_within_what_the_draws_can_give(run: str) -> None:
    log, scores = read_log(RUNS / f"{run}.json"), published(run)
    table = aligned_table(log)
    drawn = table.answers == MISSING
    assert drawn.sum() == DRAWN[run]
    for column, name in enumerate(log.names):
        right = (table.answers[:, column] == table.gold).mean()
        share = drawn[:, column].mean()
        assert right - ROUNDING <= scores["language_acc"][name] <= right + share + ROUNDING
    for subsets in scores["detailed_consistency_score"].values():
        for subset, value in subsets.items():
            columns = [log.names.index(name) for name in subset.split(",")]
            may_agree = np.array(
                [len(set(row) - {MISSING}) <= 1 for row in table.answers[:, columns].tolist()]
            )
            agree = may_agree & ~drawn[:, columns].any(axis=1)
            assert agree.mean() - ROUNDING <= value <= may_agree.mean() + ROUNDING
