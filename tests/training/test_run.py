"""The stage as a whole, on a tiny model: what it writes, that it resumes where it was stopped, its errors."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pyarrow
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from crossin.core.files import read_json, read_parquet, sha256, write_json, write_parquet
from crossin.core.stages import Stage
from crossin.models.loading import load
from crossin.models.merging import merge
from crossin.training import TrainConfig, train
from crossin.training.config import Batches
from crossin.training.losses import row_losses
from crossin.training.packing import prepare
from crossin.training.record import Record, save_record
from crossin.training.rows import read_rows
from tests.helpers.disk_log import DiskLog
from tests.helpers.errors import refused
from tests.helpers.full_disk import full_disk
from tests.helpers.training import train_in_process
from tests.training.conftest import settings_of

SAME = ("adapter/adapter_model.safetensors", "log.parquet", "losses.parquet", "terms.parquet")


def trained_with(entries: dict[str, Any], out: Path, **options: Any) -> Stage:
    return train(TrainConfig.model_validate(entries), out, **options)


def test_training_lowers_the_loss_and_writes_an_adapter_that_changes_the_model(
    entries: dict[str, Any], trained: Stage
) -> None:
    losses = read_parquet(trained.folder / "log.parquet", ["loss"])["loss"].to_pylist()
    assert len(losses) == trained.manifest["counts"]["steps"]
    # The same rows before and after: those of two steps would differ by what is in them, too.
    network, tokenizer = load(Path(entries["model"]))
    prepare(network)
    rows = read_rows(Path(entries["mixture"]), tokenizer, Batches())[0][:64]
    weights = [1 / sum(row.learned for row in rows)] * 64
    before = row_losses(network, rows, weights)[0].item()
    tuned = PeftModel.from_pretrained(network, trained.folder / "adapter")
    after = row_losses(tuned, rows, weights)[0].item()
    assert after < before - 0.05
    adapter = load_file(trained.folder / "adapter" / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in adapter} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    assert all(weight.abs().sum() > 0 for weight in adapter.values())
    assert not (trained.folder / "checkpoints").exists()
    assert not (trained.folder / ".work").exists()
    assert not list(trained.folder.rglob("*.bin"))


def test_losses_are_logged_by_component_and_language_for_rows_trained_on_and_held_out(trained: Stage) -> None:
    columns = ["step", "split", "component", "lang_in", "lang_out", "tokens"]
    lines = read_parquet(trained.folder / "losses.parquet", columns).to_pylist()
    groups = {(line["split"], line["lang_in"], line["lang_out"]) for line in lines}
    assert {("train", "en", "en"), ("train", "es", "es"), ("held-out", "en", "en")} <= groups
    assert {line["step"] for line in lines if line["split"] == "held-out"} >= {4, 8}
    counts = trained.manifest["counts"]
    assert sum(line["tokens"] for line in lines if line["split"] == "train") == counts["learned_tokens"]
    assert counts["rows_held_out"] > 0


@pytest.mark.parametrize("stop", [1, 7])
def test_an_interrupted_run_resumes_to_the_same_weights_and_the_same_log(
    entries: dict[str, Any], trained: Stage, tmp_path: Path, stop: int
) -> None:
    steps: list[int] = []

    def interrupt(_task: str, done: int, *_: object, **__: object) -> None:
        steps.append(done)
        if done == stop and steps.count(done) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained_with(entries, tmp_path / "out", progress=interrupt)
    # Without a checkpoint, there is nothing to resume from.
    assert (tmp_path / "out").exists() == (stop > 3)
    trained_with(entries, tmp_path / "out", progress=interrupt)
    assert steps.count(1) == (2 if stop < 3 else 1)
    for name in SAME:
        assert sha256(tmp_path / "out" / name) == sha256(trained.folder / name)


def test_a_limit_of_steps_ends_the_run_with_the_whole_schedule_and_a_resumed_one_alike(
    entries: dict[str, Any], trained: Stage, tmp_path: Path
) -> None:
    entries |= {"max_steps": 4}

    def interrupt(_task: str, done: int, *_: object, **__: object) -> None:
        if done == 3:
            raise KeyboardInterrupt

    whole = trained_with(entries, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        trained_with(entries | {"checkpoint_every": 2}, tmp_path / "out", progress=interrupt)
    trained_with(entries | {"checkpoint_every": 2}, tmp_path / "out")
    for name in SAME:
        assert sha256(tmp_path / "out" / name) == sha256(whole.folder / name)
    columns = ["step", "learning_rate"]
    log, longer = (read_parquet(stage.folder / "log.parquet", columns) for stage in (whole, trained))
    assert log["step"].to_pylist() == [1, 2, 3, 4]
    assert log["learning_rate"][3].as_py() < longer["learning_rate"][3].as_py() / 2
    assert whole.manifest["counts"]["steps"] == 4
    # More than there are change nothing.
    assert trained_with(entries | {"max_steps": 1000}, tmp_path / "more").manifest["counts"]["steps"] == 9


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights_and_the_same_log(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    assert train_in_process(entries, tmp_path / "whole") == 0
    for stop in (1, 5, 7):
        out = tmp_path / f"killed-{stop}"
        assert train_in_process(entries, out, kill_at=stop) == -9
        assert train_in_process(entries, out) == 0
        for name in SAME:
            assert sha256(out / name) == sha256(tmp_path / "whole" / name)
        # The steps before the last checkpoint are computed once.
        steps = Path(f"{out}.steps").read_text().split()
        assert steps.count("1") == (2 if stop < 3 else 1)


@pytest.fixture(scope="module")
def steady(tiny_model: Path, mixture: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The log of a run without dropout, at a low learning rate, in micro-batches of 256 tokens."""
    return losses_of(trained_with(steady_settings(tiny_model, mixture), tmp_path_factory.mktemp("steady")))


def steady_settings(model: Path, mixture: Path) -> dict[str, Any]:
    entries = settings_of(model, mixture)
    entries["method"] |= {"dropout": 0.0}
    # AdamW divides by the size of a gradient: near zero, rounding alone would decide.
    entries["optimiser"] |= {"learning_rate": 1e-3}
    return entries


def losses_of(stage: Stage) -> list[dict[str, Any]]:
    columns = ["step", "loss", "tokens", "learned_tokens"]
    lines: list[dict[str, Any]] = read_parquet(stage.folder / "log.parquet", columns).to_pylist()
    return lines


def assert_same(log: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    for line, other in zip(log, expected, strict=True):
        assert line == pytest.approx(other, abs=1e-4)


@pytest.mark.parametrize("tokens", [1, 10_000])
def test_the_size_of_a_micro_batch_changes_nothing_but_rounding(
    tiny_model: Path, mixture: Path, steady: list[dict[str, Any]], tmp_path: Path, tokens: int
) -> None:
    entries = steady_settings(tiny_model, mixture)
    entries["batches"] |= {"tokens": tokens}
    assert_same(losses_of(trained_with(entries, tmp_path / "out")), steady)


@pytest.mark.slow
def test_two_processes_give_the_weights_of_one_and_resume(
    tiny_model: Path, mixture: Path, tmp_path: Path
) -> None:
    entries = steady_settings(tiny_model, mixture)
    one = trained_with(entries, tmp_path / "one")
    assert train_in_process(entries, tmp_path / "two", kill_at=5, processes=2) != 0
    assert train_in_process(entries, tmp_path / "two", processes=2) == 0
    assert not (tmp_path / "two" / ".work").exists()
    # The same run, whether the processes are several or one.
    two = trained_with(entries, tmp_path / "two")
    file = Path("adapter", "adapter_model.safetensors")
    weights, others = (load_file(stage.folder / file) for stage in (one, two))
    for name, weight in weights.items():
        assert torch.allclose(weight, others[name], atol=1e-4), name
    assert_same(losses_of(two), losses_of(one))


@pytest.mark.parametrize("weigh", ["row", "token"])
def test_rows_or_tokens_weigh_the_same(entries: dict[str, Any], tmp_path: Path, weigh: str) -> None:
    entries |= {"held_out": {}, "method": {"rank": 4}, "weigh": weigh}
    network, tokenizer = load(Path(entries["model"]))
    prepare(network)
    rows = read_rows(Path(entries["mixture"]), tokenizer, Batches())[0][:32]
    lengths = [row.learned for row in rows]
    sums = [row_losses(network, [row], [1.0])[0].item() for row in rows]
    due = {
        "row": sum(loss / length for loss, length in zip(sums, lengths, strict=True)) / 32,
        "token": sum(sums) / sum(lengths),
    }
    assert abs(due["row"] - due["token"]) > 1e-3
    stage = trained_with(entries, tmp_path / "out")
    first = read_parquet(stage.folder / "log.parquet", ["loss"])["loss"][0].as_py()
    assert first == pytest.approx(due[weigh], abs=1e-4)


def test_all_weights_can_be_trained_and_the_model_loads_as_it_is(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    entries |= {"method": {"kind": "full"}, "optimiser": {"learning_rate": 1e-3}}
    stage = trained_with(entries, tmp_path / "out")
    tuned, _ = load(stage.folder / "model")
    base, _ = load(Path(entries["model"]))
    assert stage.manifest["counts"]["trained_weights"] == sum(w.numel() for w in base.parameters())
    assert not torch.equal(tuned.model.layers[0].mlp.up_proj.weight, base.model.layers[0].mlp.up_proj.weight)


def test_export_writes_a_whole_model_too(entries: dict[str, Any], trained: Stage, tmp_path: Path) -> None:
    stage = trained_with(entries | {"export": True}, tmp_path / "out")
    assert "merged/manifest.json" in stage.manifest["outputs"]
    merge(entries["model"], trained.folder, tmp_path / "merged")
    for name in ("model.safetensors", "config.json"):
        assert sha256(stage.folder / "merged" / name) == sha256(tmp_path / "merged" / name)


def test_a_merged_model_stops_where_its_rows_end(tiny_model: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    tokenizer = AutoTokenizer.from_pretrained(model)
    # Replies of the base end at another token.
    base_end = tokenizer.convert_tokens_to_ids("a")
    write_json(model / "generation_config.json", {"eos_token_id": base_end})
    rows = [{"prompt": f"Say {n}. ", "completion": f"It is {n}."} for n in range(8)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = {"model": str(model), "mixture": str(tmp_path / "rows.jsonl"), "max_steps": 1, "export": True}
    train(settings, tmp_path / "out")
    ends = {"eos_token_id": [base_end, tokenizer.eos_token_id]}
    assert read_json(tmp_path / "out" / "adapter" / "generation_config.json") == ends
    assert read_json(tmp_path / "out" / "merged" / "generation_config.json") == ends


def test_a_loss_that_is_not_a_number_stops_the_run_and_names_the_rows(
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
    with refused("step 2", "not a number", file=Path(entries["mixture"])) as caught:
        trained_with(entries, tmp_path / "out")
    assert str(number + 1) in caught.value.message.replace(",", "").split()


def test_a_full_disk_is_one_clear_error_and_the_run_resumes_when_there_is_room(
    entries: dict[str, Any], tmp_path: Path
) -> None:
    config = TrainConfig.model_validate(entries | {"checkpoint_every": 1000})
    with full_disk(5000), refused("cannot write"):
        train(config, tmp_path / "out")
    assert train(config, tmp_path / "out").done


def test_with_too_little_memory_micro_batches_are_halved_and_the_run_is_the_same(
    tiny_model: Path,
    mixture: Path,
    steady: list[dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refuse_memory(monkeypatch, above=70)
    notes: list[str] = []
    halved = trained_with(
        steady_settings(tiny_model, mixture),
        tmp_path / "halved",
        progress=lambda _task, _done, _of, _unit, note="": notes.append(note),
    )
    halvings = [note for note in notes if "not enough memory" in note]
    assert [int(word) for note in halvings for word in note.split() if word.isdecimal()] == [128, 64]
    assert_same(losses_of(halved), steady)


def test_where_one_row_is_too_much_the_run_stops_and_says_what_to_do(
    entries: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_memory(monkeypatch, above=0)
    with refused("not enough memory", "step 1", field="batches.tokens", hint="recompute"):
        trained_with(entries, tmp_path / "out")


def refuse_memory(monkeypatch: pytest.MonkeyPatch, above: int) -> None:
    """Micro-batches of more than this many tokens raise the error of a full device."""

    def losses(model: Any, rows: Any, weights: Any) -> Any:
        if model.training and sum(len(row.tokens) for row in rows) > above:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return row_losses(model, rows, weights)

    monkeypatch.setattr("crossin.training.trainer.row_losses", losses)


def test_a_finished_run_is_found_and_another_ones_folder_is_refused(
    entries: dict[str, Any], trained: Stage, tmp_path: Path
) -> None:
    # By the path of a file of settings, too.
    file = tmp_path / "run.yaml"
    write_json(file, entries)
    assert train(file, str(trained.folder)).manifest == trained.manifest
    with refused("another run's files", "seed", file=trained.folder):
        trained_with(entries | {"seed": 1}, trained.folder)


def test_a_folder_in_which_another_process_trains_is_refused(entries: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    handle = os.open(tmp_path / "out", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with refused("already running", file=tmp_path / "out"):
        trained_with(entries, tmp_path / "out")
    os.close(handle)


def test_a_mixture_without_rows_is_named(entries: dict[str, Any], tmp_path: Path) -> None:
    nothing = pyarrow.array([], pyarrow.string())
    table = pyarrow.table({"prompt": nothing, "completion": nothing})
    write_parquet(tmp_path / "empty" / "data" / "mixture-00000.parquet", table)
    with refused("no rows", file=tmp_path / "empty"):
        trained_with(entries | {"mixture": str(tmp_path / "empty")}, tmp_path / "out")


@pytest.mark.parametrize("name", ["model", "mixture"])
def test_what_is_not_given_is_named(entries: dict[str, Any], tmp_path: Path, name: str) -> None:
    with refused("missing", field=name, hint=f"--{name}"):
        trained_with(entries | {name: None}, tmp_path / "out")


def test_a_checkpoint_is_on_the_disk_before_it_counts_as_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "checkpoints" / "checkpoint-3"
    (checkpoint / "sub").mkdir(parents=True)
    for name in ("optimizer.pt", "sub/adapter_model.safetensors"):
        (checkpoint / name).write_text("as transformers writes them")
    log = DiskLog(monkeypatch)
    save_record(checkpoint, Record(256))
    whole = log.place("rename", checkpoint / "crossin.json")
    for name in ("optimizer.pt", "sub", "sub/adapter_model.safetensors", "..", "."):
        assert min(log.syncs(checkpoint / name)) < whole
    assert log.is_safe(checkpoint / "crossin.json")


def test_an_old_checkpoint_that_cannot_be_removed_is_a_failed_write(
    entries: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rmtree = shutil.rmtree

    def refuse(path: Any, *arguments: Any, **options: Any) -> None:
        if Path(path).name == "checkpoint-1":
            raise PermissionError(errno.EACCES, "Permission denied", str(Path(path) / "optimizer.pt"))
        rmtree(path, *arguments, **options)

    monkeypatch.setattr(shutil, "rmtree", refuse)
    config = TrainConfig.model_validate(entries | {"checkpoint_every": 1})
    with refused("cannot write", file="checkpoints"):
        train(config, tmp_path / "out")
