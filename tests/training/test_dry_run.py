"""The look ahead: what it counts, what it shows, and that it leaves nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from crossin.models.loading import load
from crossin.training import TrainConfig, train
from crossin.training.config import Batches
from crossin.training.dry_run import Preview, preview
from crossin.training.rows import read_rows
from tests.helpers.training import mixture_of


@pytest.fixture(scope="module")
def mixture(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixture_of(facts_folder, tmp_path_factory.mktemp("mixture") / "mixture")


@pytest.fixture
def entries(tiny_model: Path, mixture: Path) -> dict[str, Any]:
    return {
        "model": str(tiny_model),
        "mixture": str(mixture),
        "method": {"rank": 4, "alpha": 8},
        "batches": {"rows": 32, "tokens": 256},
        "held_out": {"share": 0.1, "every": 100},
    }


def previewed(entries: dict[str, Any]) -> Preview:
    return preview(TrainConfig.model_validate(entries))


def test_its_counts_are_those_of_the_run(entries: dict[str, Any], tmp_path: Path) -> None:
    shown = previewed(entries)
    counts = train(TrainConfig.model_validate(entries), tmp_path / "out").manifest["counts"]
    assert (shown.rows, shown.held_out, shown.steps) == (
        counts["rows"],
        counts["rows held out"],
        counts["steps"],
    )
    assert (shown.tokens, shown.learned) == (counts["tokens"], counts["learned tokens"])
    assert (shown.trained_weights, shown.weights) == (counts["trained weights"], counts["weights"])
    assert sum(shown.groups.values()) == shown.rows
    assert shown.terms == []
    assert shown.seconds > 0
    assert shown.memory_mb > 0


def test_further_epochs_are_counted(entries: dict[str, Any]) -> None:
    once, twice = previewed(entries), previewed(entries | {"epochs": 2})
    assert (twice.rows, twice.tokens, twice.learned) == (once.rows, 2 * once.tokens, 2 * once.learned)
    assert twice.steps == -(-2 * once.rows // 32)


def test_fewer_tokens_a_pass_are_more_passes_a_step(entries: dict[str, Any]) -> None:
    few = previewed(entries | {"batches": {"rows": 32, "tokens": 1}})
    assert few.passes_per_step == pytest.approx(few.rows / few.steps)
    assert previewed(entries).passes_per_step < few.passes_per_step / 2


def test_the_first_three_passes_are_shown_cut_where_learning_begins(
    entries: dict[str, Any], tiny_model: Path, mixture: Path
) -> None:
    shown = previewed(entries).shown
    assert len(shown) == 3
    tokenizer = load(tiny_model)[1]
    rows, _ = read_rows(mixture, tokenizer, Batches())
    texts = {
        (
            tokenizer.decode(list(row.tokens[: row.learned_from])),
            tokenizer.decode(list(row.tokens[row.learned_from :])),
        )
        for row in rows
    }
    for read, learned in (row for part in shown for row in part):
        assert (read, learned) in texts
        assert learned.endswith("<end>")


def test_what_is_too_long_is_counted(entries: dict[str, Any]) -> None:
    shown = previewed(entries | {"batches": {"rows": 32, "longest": 24}})
    assert shown.skipped["row: longer than 24 tokens"] > 0
    assert shown.rows + shown.held_out + sum(shown.skipped.values()) == 288


def test_it_writes_nothing(entries: dict[str, Any], mixture: Path, tiny_model: Path) -> None:
    before = [sorted(folder.rglob("*")) for folder in (mixture.parent, tiny_model.parent)]
    previewed(entries)
    assert [sorted(folder.rglob("*")) for folder in (mixture.parent, tiny_model.parent)] == before


def test_recomputing_takes_no_other_rows(entries: dict[str, Any]) -> None:
    recomputed = previewed(entries | {"batches": {"rows": 32, "tokens": 256, "recompute": True}})
    assert recomputed.shown == previewed(entries).shown
