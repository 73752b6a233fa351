"""Trainings in which pairs have all tokens, or none: steps, log, errors; the same result however computed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from crossin.core.files import read_parquet, sha256
from crossin.core.formats import ITEMS
from crossin.core.stages import Stage
from crossin.items.item import read_items, write_items
from crossin.training import TrainConfig, train
from crossin.training.dry_run import preview
from tests.helpers.errors import refused
from tests.helpers.training import train_in_process

ADAPTER = "adapter/adapter_model.safetensors"


@pytest.fixture
def alone(tiny_model: Path, benches: dict[str, Path]) -> dict[str, Any]:
    """The settings of a run of 10 steps of 8 pairs, without a mixture."""
    return {
        "model": str(tiny_model),
        "method": {"rank": 4, "alpha": 8},
        "optimiser": {"learning_rate": 3e-3},
        "batches": {"pairs": 8, "tokens": 256},
        "pairs": {"items": str(benches["train"]), "languages": ["es", "vi"], "share": 1},
        "consist": {"divergence": "js", "weight": 2.0},
        "max_steps": 10,
        "checkpoint_every": 4,
        "log_every": 1,
    }


def trained_with(entries: dict[str, Any], out: Path, **options: Any) -> Stage:
    return train(TrainConfig.model_validate(entries), out, **options)


def few_questions(bench: Path, count: int, folder: Path) -> Path:
    """The first questions of a benchmark, in a folder."""
    every = read_items(bench)
    few = sorted({item.item for item in every})[:count]
    write_items(folder / ITEMS, [item for item in every if item.item in few])
    return folder


def column(stage: Stage, table: str, name: str) -> list[Any]:
    values: list[Any] = read_parquet(stage.folder / f"{table}.parquet", [name])[name].to_pylist()
    return values


def test_pairs_alone_train_and_are_all_that_is_logged(alone: dict[str, Any], tmp_path: Path) -> None:
    stage = trained_with(alone, tmp_path / "out")
    counts = stage.manifest["counts"]
    assert (counts["rows"], counts["steps"], counts["pairs"], counts["learned_tokens"]) == (0, 10, 80, 0)
    assert set(column(stage, "terms", "term")) == {"consist"}
    values, losses = column(stage, "terms", "value"), column(stage, "log", "loss")
    assert losses == pytest.approx([2 * value for value in values])
    assert min(values) > 0
    assert column(stage, "losses", "loss") == []
    assert stage.to_arrow().num_rows == 0
    assert all(norm > 0 for norm in column(stage, "terms", "gradient_norm"))
    assert sum(column(stage, "log", "tokens")) == counts["tokens"] > 0
    assert any(
        weight.abs().sum() > 0 for name, weight in load_file(stage.folder / ADAPTER).items() if "B" in name
    )


def test_dco_lets_languages_take_on_each_others_preferences(
    alone: dict[str, Any], benches: dict[str, Path], tmp_path: Path
) -> None:
    alone["pairs"] |= {"items": str(few_questions(benches["train"], 8, tmp_path)), "languages": ["es"]}
    alone |= {"consist": {"divergence": "dco", "length": "token"}, "optimiser": {"learning_rate": 1e-2}}
    alone |= {"method": {"rank": 32, "alpha": 64}, "epochs": 60, "max_steps": 60}
    values = column(trained_with(alone, tmp_path / "out"), "terms", "value")
    # The first two are near those of the model before training; what comes next overshoots.
    assert sum(values[-10:]) / 10 < 0.8 * sum(values[:2]) / 2


def test_the_dry_run_counts_the_pairs(alone: dict[str, Any], tmp_path: Path) -> None:
    shown = preview(TrainConfig.model_validate(alone))
    counts = trained_with(alone, tmp_path / "out").manifest["counts"]
    assert {name: getattr(shown, name) for name in counts} == counts
    assert (shown.terms, shown.shown) == (["consist"], [])
    assert shown.seconds > 0


@pytest.mark.parametrize(("among", "pairs_of_languages"), [("pivot", 2), ("any", 3)])
def test_an_epoch_has_every_question_in_every_pair_of_languages(
    alone: dict[str, Any], benches: dict[str, Path], among: str, pairs_of_languages: int
) -> None:
    questions = len(set(read_parquet(benches["train"] / "items.parquet", ["item"])["item"].to_pylist()))
    alone["pairs"] |= {"among": among}
    alone |= {"max_steps": None, "epochs": 2, "batches": {"pairs": 8}}
    shown = preview(TrainConfig.model_validate(alone))
    assert shown.steps == -(-2 * questions * pairs_of_languages // 8)


def test_every_pair_is_seen_where_a_step_could_have_more_than_there_are_questions(
    alone: dict[str, Any], benches: dict[str, Path], tmp_path: Path
) -> None:
    alone["pairs"] |= {"items": str(few_questions(benches["train"], 3, tmp_path))}
    shown = preview(TrainConfig.model_validate(alone | {"max_steps": None}))
    assert (shown.steps, shown.pairs) == (2, 6)


def test_a_limit_of_tokens_ends_the_run_with_the_step_that_reaches_it(
    alone: dict[str, Any], tmp_path: Path
) -> None:
    whole = preview(TrainConfig.model_validate(alone)).tokens
    limit = whole // 2
    counts = trained_with(alone | {"max_tokens": limit}, tmp_path / "out").manifest["counts"]
    fewer = preview(TrainConfig.model_validate(alone | {"max_steps": counts["steps"] - 1}))
    assert fewer.tokens < limit <= counts["tokens"] < whole
    # More than there are change nothing.
    assert preview(TrainConfig.model_validate(alone | {"max_tokens": 2 * whole})).tokens == whole


def test_all_processes_find_the_same_limit_of_tokens(
    alone: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    alone |= {"max_tokens": preview(TrainConfig.model_validate(alone)).tokens // 2}
    steps = [preview(TrainConfig.model_validate(alone)).steps]
    monkeypatch.setenv("WORLD_SIZE", "2")
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        steps.append(preview(TrainConfig.model_validate(alone)).steps)
    assert steps == [5, 5, 5]


def test_a_mixture_is_not_read_where_pairs_have_all_tokens(
    alone: dict[str, Any], mixture: Path, tmp_path: Path
) -> None:
    notes: list[str] = []
    alone["max_steps"] = 2
    without = trained_with(alone, tmp_path / "without")
    with_one = trained_with(alone | {"mixture": str(mixture)}, tmp_path / "with", say=notes.append)
    assert any("mixture is not read" in note for note in notes)
    assert sha256(with_one.folder / ADAPTER) == sha256(without.folder / ADAPTER)
    assert "mixture" not in with_one.manifest["inputs"]


def test_without_a_mixture_rows_cannot_have_a_share(alone: dict[str, Any], tmp_path: Path) -> None:
    alone["pairs"] |= {"share": 0.5}
    with refused("missing", field="mixture", hint="pairs.share: 1"):
        trained_with(alone, tmp_path / "out")


def test_pairs_without_a_share_change_nothing(
    entries: dict[str, Any], trained: Stage, benches: dict[str, Path], tmp_path: Path
) -> None:
    entries |= {"pairs": {"items": str(benches["train"]), "share": 0}, "consist": {}}
    stage = trained_with(entries, tmp_path / "out")
    for name in (ADAPTER, "log.parquet", "losses.parquet", "terms.parquet"):
        assert sha256(stage.folder / name) == sha256(trained.folder / name)


@pytest.mark.parametrize("divergence", ["js", "dco"])
def test_the_size_of_a_micro_batch_changes_nothing_but_rounding(
    alone: dict[str, Any], tmp_path: Path, divergence: str
) -> None:
    alone |= {"consist": {"divergence": divergence}, "max_steps": 4}
    losses = []
    for tokens in (1, 10_000):
        entries = alone | {"batches": {"pairs": 8, "tokens": tokens}}
        losses.append(column(trained_with(entries, tmp_path / str(tokens)), "terms", "value"))
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_an_interrupted_run_resumes_to_the_same_bytes(alone: dict[str, Any], tmp_path: Path) -> None:
    # Its reference is the model before training, not that of the checkpoint.
    alone |= {"consist": {"divergence": "dco"}}

    def interrupt(_task: str, done: int, *_: object, **__: object) -> None:
        if done == 6:
            raise KeyboardInterrupt

    whole = trained_with(alone, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained_with(alone, tmp_path / "out", progress=interrupt)
    trained_with(alone, tmp_path / "out")
    for name in (ADAPTER, "log.parquet", "terms.parquet"):
        assert sha256(tmp_path / "out" / name) == sha256(whole.folder / name)


@pytest.mark.parametrize("term", ["align", "consist"])
@pytest.mark.slow
def test_two_processes_average_their_gradients(alone: dict[str, Any], tmp_path: Path, term: str) -> None:
    alone |= {"consist": None, "align": None, "optimiser": {"learning_rate": 1e-3}} | {term: {}}
    if term == "align":
        # Each contrasts its own pairs, and the last block has no gradient.
        alone |= {"align": {"layers": [1]}}
    assert train_in_process(alone, tmp_path / "two", processes=2) == 0
    two = trained_with(alone, tmp_path / "two")
    assert two.manifest["counts"]["steps"] == 10
    if term == "consist":
        one = trained_with(alone, tmp_path / "one")
        weights, others = (load_file(stage.folder / ADAPTER) for stage in (one, two))
        for name, weight in weights.items():
            assert torch.allclose(weight, others[name], atol=1e-4), name


def test_a_direction_for_a_language_without_pairs_is_an_error(alone: dict[str, Any], tmp_path: Path) -> None:
    alone |= {"consist": {"divergence": "dco", "direction": {"th": 2}}}
    with refused("in th", field="consist.direction", hint="es"):
        trained_with(alone, tmp_path / "out")
