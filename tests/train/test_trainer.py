from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow
import pytest
import torch
from full_disk import full_disk
from peft import PeftModel
from safetensors.torch import load_file

from crossin.compose import compose, read_recipe
from crossin.errors import CrossinError
from crossin.experiment.demo import RECIPE
from crossin.files import read_parquet, sha256, write_parquet
from crossin.models.load import load
from crossin.train import TrainSettings, train
from crossin.train.rows import TokenisedRow, read_rows
from crossin.train.trainer import completion_loss

SETTINGS = TrainSettings(
    rank=4, alpha=8, dropout=0.1, rows_per_step=32, checkpoint_every=3, learning_rate=3e-2
)


@pytest.fixture(scope="module")
def mixture(facts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    recipe = read_recipe(RECIPE)
    small = recipe.model_copy(
        update={"components": [part.model_copy(update={"rows": 48}) for part in recipe.components]}
    )
    return compose(
        small, facts_folder, tmp_path_factory.mktemp("mixture") / "mixture", languages=["en", "es"]
    ).folder


def test_what_is_learned_is_the_completion_and_the_end(mixture: Path, tiny_model: Path) -> None:
    tokenizer = load(tiny_model)[1]
    rows, skipped = read_rows(mixture, tokenizer, 1024)
    texts = read_parquet(mixture / "data" / "mixture-00000.parquet", ["prompt", "completion"]).to_pylist()
    assert skipped == {}
    for row, text in zip(rows, texts, strict=True):
        assert tokenizer.decode(row.tokens[: row.learned_from]) == text["prompt"]
        assert tokenizer.decode(row.tokens[row.learned_from :]) == text["completion"] + "<end>"


def test_the_loss_is_the_mean_over_learned_tokens_of_plain_padded_batches(tiny_model: Path) -> None:
    model = load(tiny_model)[0]
    rows = [
        TokenisedRow([5, 6, 7, 8], 2),
        TokenisedRow([9, 10, 11, 12, 13, 14], 5),
        TokenisedRow([15, 16], 1),
    ]
    padded = torch.zeros(3, 6, dtype=torch.long)
    labels = torch.full((3, 6), -100)
    seen = torch.zeros(3, 6, dtype=torch.long)
    for number, row in enumerate(rows):
        length = len(row.tokens)
        padded[number, :length] = torch.tensor(row.tokens)
        seen[number, :length] = 1
        labels[number, row.learned_from : length] = torch.tensor(row.tokens[row.learned_from :])
    with torch.inference_mode():
        logits = model(padded, attention_mask=seen).logits
        expected = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        assert completion_loss(model, rows).item() == pytest.approx(expected.item(), abs=1e-4)


def test_the_learning_rate_warms_up_and_falls_to_zero() -> None:
    rates = [TrainSettings(learning_rate=1, warmup=0.1).learning_rate_at(step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] < 0.001


def test_training_lowers_the_loss_and_writes_an_adapter_that_changes_the_model(
    mixture: Path, tiny_model: Path, tmp_path: Path
) -> None:
    stage = train(tiny_model, mixture, tmp_path / "out", SETTINGS)
    losses = read_parquet(stage.folder / "log.parquet", ["loss"])["loss"].to_pylist()
    assert len(losses) == stage.manifest["counts"]["steps"] == 9
    # The same rows before and after: those of two steps would differ by what is in them, too.
    network, tokenizer = load(tiny_model)
    rows = read_rows(mixture, tokenizer, 1024)[0]
    before = completion_loss(network, rows[:64]).item()
    tuned = PeftModel.from_pretrained(network, stage.folder / "adapter")
    after = completion_loss(tuned, rows[:64]).item()
    assert after < before - 0.05
    weights = load_file(stage.folder / "adapter" / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in weights} == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    }  # fmt: skip
    assert all(weight.abs().sum() > 0 for weight in weights.values())
    assert sorted(path.name for path in stage.folder.iterdir()) == ["adapter", "log.parquet", "manifest.json"]


KILLED = """
import os, signal, sys
from pathlib import Path
from crossin.train import TrainSettings, train

def progress(task, done, total, unit, note=""):
    if done == int(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)

model, mixture, out = map(Path, sys.argv[1:4])
train(model, mixture, out, TrainSettings.model_validate_json(sys.argv[4]), progress=progress)
"""


def test_a_killed_run_goes_on_from_its_checkpoint_to_the_same_weights(
    mixture: Path, tiny_model: Path, tmp_path: Path
) -> None:
    arguments = [str(tiny_model), str(mixture), str(tmp_path / "killed"), SETTINGS.model_dump_json(), "5"]
    assert subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False).returncode == -9
    seen: list[int] = []
    train(
        tiny_model, mixture, tmp_path / "killed", SETTINGS, progress=lambda *work, **_: seen.append(work[1])
    )
    assert seen == [4, 5, 6, 7, 8, 9]
    train(tiny_model, mixture, tmp_path / "whole", SETTINGS)
    for name in ("adapter/adapter_model.safetensors", "log.parquet"):
        assert sha256(tmp_path / "killed" / name) == sha256(tmp_path / "whole" / name)


def test_a_row_that_is_too_long_is_left_out_whole_and_counted(tiny_model: Path, tmp_path: Path) -> None:
    lines = [{"prompt": "a" * length, "completion": "b"} for length in (3, 300)]
    write_parquet(tmp_path / "mixture" / "data" / "mixture-00000.parquet", pyarrow.Table.from_pylist(lines))
    rows, skipped = read_rows(tmp_path / "mixture", load(tiny_model)[1], 100)
    assert len(rows) == 1
    assert skipped == {"row: longer than 100 tokens": 1}


def test_an_empty_completion_is_named_by_file_row_and_field(tiny_model: Path, tmp_path: Path) -> None:
    lines = [{"prompt": "a", "completion": "b"}, {"prompt": "a", "completion": ""}]
    write_parquet(tmp_path / "data" / "mixture-00000.parquet", pyarrow.Table.from_pylist(lines))
    with pytest.raises(CrossinError, match=r"mixture-00000\.parquet, row 2, field 'completion': is empty"):
        read_rows(tmp_path, load(tiny_model)[1], 100)


def test_a_full_disk_is_one_clear_error_and_the_run_goes_on_when_there_is_room(
    mixture: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with full_disk(5000), pytest.raises(CrossinError, match=r"checkpoint\.safetensors: cannot write"):
        train(tiny_model, mixture, tmp_path / "out", SETTINGS)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["stage.json"]
    assert train(tiny_model, mixture, tmp_path / "out", SETTINGS).done


def test_another_runs_checkpoint_is_refused(mixture: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(CrossinError, match="another run's files"):
        for rank in (2, 4):
            train(tiny_model, mixture, tmp_path / "out", SETTINGS.model_copy(update={"rank": rank}))
