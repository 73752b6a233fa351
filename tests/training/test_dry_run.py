"""The dry run: what it counts and shows, and that it leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from crossin.core.stages import Stage
from crossin.training import TrainConfig
from crossin.training.config import Batches
from crossin.training.dry_run import TrainingPreview, preview
from crossin.training.rows import read_rows


def previewed(entries: dict[str, Any]) -> TrainingPreview:
    return preview(TrainConfig.model_validate(entries))


def test_its_counts_are_those_of_the_run(entries: dict[str, Any], trained: Stage) -> None:
    shown = previewed(entries)
    counts = trained.manifest["counts"]
    assert {name: getattr(shown, name) for name in counts} == counts
    assert sum(shown.groups.values()) == shown.rows
    assert shown.terms == []
    assert shown.seconds > 0
    assert shown.memory_mb > 0


def test_further_epochs_are_counted(entries: dict[str, Any]) -> None:
    once, twice = previewed(entries), previewed(entries | {"epochs": 2})
    assert (twice.rows, twice.tokens, twice.learned_tokens) == (
        once.rows,
        2 * once.tokens,
        2 * once.learned_tokens,
    )
    assert twice.steps == -(-2 * once.rows // 32)


def test_a_limit_of_steps_limits_the_tokens(entries: dict[str, Any]) -> None:
    whole, short = previewed(entries), previewed(entries | {"max_steps": 3})
    assert (short.rows, short.steps) == (whole.rows, 3)
    assert 0.25 < short.tokens / whole.tokens < 0.4
    assert short.seconds < whole.seconds


def test_a_limit_of_tokens_counts_rows_and_pairs(entries: dict[str, Any], benches: dict[str, Path]) -> None:
    entries |= {"pairs": {"items": str(benches["train"]), "share": 0.5}, "consist": {}, "epochs": 4}
    limit = previewed(entries | {"epochs": 1}).tokens * 2
    shown = previewed(entries | {"max_tokens": limit})
    assert shown.tokens == pytest.approx(limit, rel=0.1)
    assert 0 < shown.pairs < previewed(entries).pairs


def test_smaller_micro_batches_are_more_per_step(entries: dict[str, Any]) -> None:
    few = previewed(entries | {"batches": {"rows": 32, "tokens": 1}})
    assert few.micro_batches_per_step == pytest.approx(few.rows / few.steps)
    assert previewed(entries).micro_batches_per_step < few.micro_batches_per_step / 2


def test_the_first_three_micro_batches_are_shown_split_where_learning_begins(
    entries: dict[str, Any], tokenizer: Any, mixture: Path
) -> None:
    shown = previewed(entries).shown
    assert len(shown) == 3
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
    assert shown.skipped.keys() == {"too_many_tokens"}
    assert shown.rows + shown.rows_held_out + sum(shown.skipped.values()) == 288


def test_it_writes_nothing(entries: dict[str, Any], mixture: Path, tiny_model: Path, tmp_path: Path) -> None:
    # Copies, since other tests write next to the originals.
    given = {name: tmp_path / name for name in ("mixture", "model")}
    shutil.copytree(tiny_model, given["model"])
    shutil.copytree(mixture, given["mixture"])
    before = sorted(tmp_path.rglob("*"))
    previewed(entries | {name: str(path) for name, path in given.items()})
    assert sorted(tmp_path.rglob("*")) == before


def test_recomputing_takes_no_other_rows(entries: dict[str, Any]) -> None:
    recomputed = previewed(entries | {"batches": {"rows": 32, "tokens": 256, "recompute": True}})
    assert recomputed.shown == previewed(entries).shown


def test_an_adaptive_sampler_keeps_its_first_shares(entries: dict[str, Any]) -> None:
    sampler = {"kind": "adaptive", "criterion": "loss", "every": 4}
    shown = previewed(entries | {"sampler": sampler})
    assert shown.steps == previewed(entries).steps
