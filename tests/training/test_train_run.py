"""The stage as a whole, on a tiny model: what it writes, that it goes on where it was stopped, its errors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pytest
import torch
from filelock import FileLock
from peft import PeftModel
from safetensors.torch import load_file, save_file

from crossin.core.errors import CrossinError
from crossin.core.files import read_parquet, sha256, write_parquet
from crossin.models.loading import load
from crossin.training import TrainConfig, train
from crossin.training.config import Batches
from crossin.training.passes import prepare
from crossin.training.rows import read_rows
from crossin.training.sft import row_losses
from tests.helpers.full_disk import full_disk
from tests.helpers.training import mixture_of, train_in_process


@pytest.fixture(scope="module")
def mixture(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixture_of(facts_folder, tmp_path_factory.mktemp("mixture") / "mixture")


@pytest.fixture
def entries(tiny_model: Path, mixture: Path) -> dict[str, Any]:
    return {
        "model": str(tiny_model),
        "mixture": str(mixture),
        "method": {"rank": 4, "alpha": 8, "dropout": 0.1},
        "optimiser": {"learning_rate": 3e-2},
        "batches": {"rows": 32, "tokens": 256},
        "held_out": {"share": 0.1, "every": 4},
        "checkpoint_every": 3,
        "log_every": 1,
    }


def test_training_lowers_the_loss_and_writes_an_adapter_that_changes_the_model(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    stage = train(TrainConfig.model_validate(entries), tmp_path / "out")
    losses = read_parquet(stage.folder / "log.parquet", ["loss"])["loss"].to_pylist()
    assert len(losses) == stage.manifest["counts"]["steps"]
    # The same rows before and after: those of two steps would differ by what is in them, too.
    network, tokenizer = load(Path(entries["model"]))
    prepare(network)
    rows = read_rows(Path(entries["mixture"]), tokenizer, Batches())[0][:64]
    learned = sum(len(row.tokens) - row.learned_from for row in rows)
    before = row_losses(network, rows, [1 / learned] * 64)[0].item()
    tuned = PeftModel.from_pretrained(network, stage.folder / "adapter")
    after = row_losses(tuned, rows, [1 / learned] * 64)[0].item()
    assert after < before - 0.05
    weights = load_file(stage.folder / "adapter" / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in weights} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    assert all(weight.abs().sum() > 0 for weight in weights.values())
    assert not (stage.folder / "checkpoints").exists()
    assert not list(stage.folder.rglob("*.bin"))


def test_the_loss_is_told_by_component_and_language_for_rows_trained_on_and_held_out(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    stage = train(TrainConfig.model_validate(entries), tmp_path / "out")
    columns = ["step", "split", "component", "lang_in", "lang_out", "tokens"]
    lines = read_parquet(stage.folder / "losses.parquet", columns).to_pylist()
    groups = {(line["split"], line["lang_in"], line["lang_out"]) for line in lines}
    assert {("train", "en", "en"), ("train", "es", "es"), ("held-out", "en", "en")} <= groups
    assert {line["step"] for line in lines if line["split"] == "held-out"} >= {4, 8}
    counts = stage.manifest["counts"]
    assert sum(line["tokens"] for line in lines if line["split"] == "train") == counts["learned tokens"]
    assert counts["rows held out"] > 0


@pytest.mark.parametrize("stop", [1, 5, 7])
def test_a_killed_run_goes_on_to_the_same_weights_and_the_same_log(
    entries: dict[str, Any], tmp_path: Path, stop: int
) -> None:
    assert train_in_process(entries, tmp_path / "killed", kill_at=stop) == -9
    assert train_in_process(entries, tmp_path / "killed") == 0
    assert train_in_process(entries, tmp_path / "whole") == 0
    for name in ("adapter/adapter_model.safetensors", "log.parquet", "losses.parquet"):
        assert sha256(tmp_path / "killed" / name) == sha256(tmp_path / "whole" / name)
    # It does not begin anew: the steps before the last checkpoint are taken once.
    steps = (tmp_path / "killed.steps").read_text().split()
    assert steps.count("1") == (2 if stop < 3 else 1)


def test_two_processes_give_the_weights_of_one(entries: dict[str, Any], tmp_path: Path) -> None:
    entries["method"] |= {"dropout": 0.0}
    # AdamW divides by the size of a gradient: near zero, rounding alone would decide.
    entries["optimiser"] |= {"learning_rate": 1e-3}
    assert train_in_process(entries, tmp_path / "one") == 0
    assert train_in_process(entries, tmp_path / "two", processes=2) == 0
    file = Path("adapter", "adapter_model.safetensors")
    one, two = (load_file(tmp_path / name / file) for name in ("one", "two"))
    for name, weight in one.items():
        assert torch.allclose(weight, two[name], atol=1e-4), name
    columns = ["step", "loss", "tokens", "learned_tokens"]
    logs = [read_parquet(tmp_path / name / "log.parquet", columns).to_pylist() for name in ("one", "two")]
    for line, other in zip(*logs, strict=True):
        assert line == pytest.approx(other, abs=1e-4)


def test_the_size_of_a_pass_changes_nothing_but_rounding(entries: dict[str, Any], tmp_path: Path) -> None:
    entries["method"] |= {"dropout": 0.0}
    losses = []
    for tokens in (1, 100, 10_000):
        entries["batches"] |= {"tokens": tokens}
        stage = train(TrainConfig.model_validate(entries), tmp_path / str(tokens))
        losses.append(read_parquet(stage.folder / "log.parquet", ["loss"])["loss"].to_pylist())
    assert losses[0] == pytest.approx(losses[1], abs=1e-3)
    assert losses[0] == pytest.approx(losses[2], abs=1e-3)


@pytest.mark.parametrize("weigh", ["row", "token"])
def test_rows_or_tokens_weigh_the_same(entries: dict[str, Any], tmp_path: Path, weigh: str) -> None:
    entries |= {"held_out": {}, "method": {"rank": 4}, "weigh": weigh}
    network, tokenizer = load(Path(entries["model"]))
    prepare(network)
    rows = read_rows(Path(entries["mixture"]), tokenizer, Batches())[0][:32]
    lengths = [len(row.tokens) - row.learned_from for row in rows]
    sums = [row_losses(network, [row], [1.0])[0].item() for row in rows]
    due = {
        "row": sum(loss / length for loss, length in zip(sums, lengths, strict=True)) / 32,
        "token": sum(sums) / sum(lengths),
    }
    assert abs(due["row"] - due["token"]) > 1e-3
    stage = train(TrainConfig.model_validate(entries), tmp_path / "out")
    first = read_parquet(stage.folder / "log.parquet", ["loss"])["loss"][0].as_py()
    assert first == pytest.approx(due[weigh], abs=1e-4)


def test_all_weights_can_be_trained_and_the_model_loads_as_it_is(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    entries |= {"method": {"kind": "full"}, "optimiser": {"learning_rate": 1e-3}}
    stage = train(TrainConfig.model_validate(entries), tmp_path / "out")
    tuned, _ = load(stage.folder / "model")
    base, _ = load(Path(entries["model"]))
    assert stage.manifest["counts"]["trained weights"] == sum(w.numel() for w in base.parameters())
    assert not torch.equal(tuned.model.layers[0].mlp.up_proj.weight, base.model.layers[0].mlp.up_proj.weight)


def test_export_writes_a_whole_model_too(entries: dict[str, Any], tmp_path: Path) -> None:
    stage = train(TrainConfig.model_validate(entries | {"export": True}), tmp_path / "out")
    whole, tokenizer = load(stage.folder / "merged")
    adapted = PeftModel.from_pretrained(load(Path(entries["model"]))[0], stage.folder / "adapter").eval()
    tokens = torch.tensor([tokenizer("Madrid")["input_ids"]])
    with torch.inference_mode():
        assert torch.allclose(whole(tokens).logits, adapted(tokens).logits, atol=1e-4)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_rows(
    entries: dict[str, Any], tiny_model: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    for path in tiny_model.iterdir():
        (broken / path.name).write_bytes(path.read_bytes())
    weights = load_file(broken / "model.safetensors")
    rows = read_rows(Path(entries["mixture"]), load(tiny_model)[1], Batches())[0]
    # A token that first comes in the second step.
    early = {token for row in rows[:32] for token in row.tokens}
    number, token = next(
        (row.number, token) for row in rows[32:64] for token in row.tokens if token not in early
    )
    weights["model.embed_tokens.weight"][token] = float("nan")
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    entries |= {"model": str(broken), "held_out": {}}
    with pytest.raises(CrossinError, match=rf"step 2: the loss is no number in the rows .*\b{number + 1}\b"):
        train(TrainConfig.model_validate(entries), tmp_path / "out")


def test_a_full_disk_is_one_clear_error_and_the_run_goes_on_when_there_is_room(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    config = TrainConfig.model_validate(entries | {"checkpoint_every": 1000})
    with full_disk(5000), pytest.raises(CrossinError, match="cannot write"):
        train(config, tmp_path / "out")
    assert train(config, tmp_path / "out").done


def test_where_memory_does_not_suffice_passes_are_halved_until_it_does_and_the_run_is_the_same(
    entries: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries["method"] |= {"dropout": 0.0}
    entries["optimiser"] |= {"learning_rate": 1e-3}
    undisturbed = train(TrainConfig.model_validate(entries), tmp_path / "undisturbed")
    refuse_memory(monkeypatch, above=70)
    notes: list[str] = []
    halved = train(
        TrainConfig.model_validate(entries),
        tmp_path / "halved",
        progress=lambda _task, _done, _of, _unit, note="": notes.append(note),
    )
    assert [note for note in notes if "not enough memory" in note] == [
        "not enough memory: passes of 128 tokens from here on",
        "not enough memory: passes of 64 tokens from here on",
    ]
    one, other = (
        read_parquet(stage.folder / "log.parquet", ["loss", "tokens"]).to_pylist()
        for stage in (undisturbed, halved)
    )
    for line, same in zip(one, other, strict=True):
        assert line == pytest.approx(same, abs=1e-4)


def test_where_no_pass_is_small_enough_the_run_stops_and_says_what_to_do(
    entries: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_memory(monkeypatch, above=0)
    with pytest.raises(CrossinError, match="not enough memory for step 1") as caught:
        train(TrainConfig.model_validate(entries), tmp_path / "out")
    assert "fewer `tokens` a pass" in str(caught.value)


def refuse_memory(monkeypatch: pytest.MonkeyPatch, above: int) -> None:
    """Training passes of more than so many tokens meet the error that a full device raises."""

    def losses(model: Any, rows: Any, weights: Any) -> Any:
        if model.training and sum(len(row.tokens) for row in rows) > above:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return row_losses(model, rows, weights)

    monkeypatch.setattr("crossin.training.trainer.row_losses", losses)


def test_another_runs_folder_is_refused(entries: dict[str, Any], tmp_path: Path) -> None:
    train(TrainConfig.model_validate(entries), tmp_path / "out")
    with pytest.raises(CrossinError, match="another run's files"):
        train(TrainConfig.model_validate(entries | {"seed": 1}), tmp_path / "out")


def test_a_folder_in_which_another_process_trains_is_refused(entries: dict[str, Any], tmp_path: Path) -> None:
    train_in_process(entries, tmp_path / "out", kill_at=1)
    with (
        FileLock(tmp_path / ".out.lock"),
        pytest.raises(CrossinError, match="another process is training"),
    ):
        train(TrainConfig.model_validate(entries), tmp_path / "out")


def test_a_mixture_without_rows_is_named(entries: dict[str, Any], tmp_path: Path) -> None:
    nothing = pyarrow.array([], pyarrow.string())
    table = pyarrow.table({"prompt": nothing, "completion": nothing})
    write_parquet(tmp_path / "empty" / "data" / "mixture-00000.parquet", table)
    with pytest.raises(CrossinError, match="empty"):
        train(TrainConfig.model_validate(entries | {"mixture": str(tmp_path / "empty")}), tmp_path / "out")


@pytest.mark.parametrize("name", ["model", "mixture"])
def test_what_is_not_given_is_named(entries: dict[str, Any], tmp_path: Path, name: str) -> None:
    with pytest.raises(CrossinError, match=f"'{name}': is not given"):
        train(TrainConfig.model_validate(entries | {name: None}), tmp_path / "out")
