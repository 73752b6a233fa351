"""How a run's model was made, from the manifests near its evaluation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from crossin.core.files import sha256, sha256_of_value
from crossin.reports.lineage import in_short, of_training, trainings_of
from crossin.reports.results import Results, load
from tests.helpers.report_data import write_run

WEIGHTS, CONFIG = "a" * 64, "b" * 64
ADAPTER = {"adapter/adapter_model.safetensors": WEIGHTS, "adapter/adapter_config.json": CONFIG}


def write_stage(folder: Path, stage: str, **entries: Any) -> str:
    """A stage's folder; its hash as an input of others."""
    folder.mkdir(parents=True)
    record = {"stage": stage, "settings": {}, "inputs": {}, "outputs": {}, "counts": {}, **entries}
    (folder / "manifest.json").write_text(json.dumps(record), encoding="utf-8")
    return sha256(folder / "manifest.json")


def evaluated(folder: Path, inputs: dict[str, str]) -> Results:
    """An evaluation that read these."""
    write_run(folder, "tuned", {"en": 0.5})
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["inputs"] |= inputs
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return load({"tuned": folder})


def write_training(root: Path) -> str:
    mixture = write_stage(
        root / "mixture",
        "compose",
        settings={"name": "paper", "seed": 3},
        counts={"rows": 1200, "components": {"x2x/facts": {"rows": 1200, "en>th": 1200}}},
    )
    return write_stage(
        root / "x2x",
        "train",
        settings={"seed": 7, "device": "cpu", "align": None, "method": {"kind": "lora", "rank": 8}},
        counts={"rows": 1200, "tokens": 45678},
        inputs={"mixture": mixture},
        outputs=ADAPTER,
    )


@pytest.mark.parametrize("place", ["eval", "eval/tuned", "eval/tuned/facts"])
@pytest.mark.parametrize(
    "read",
    [
        {"adapter/adapter/adapter_model.safetensors": WEIGHTS},
        {"adapter/adapter_model.safetensors": WEIGHTS},
        # A folder without a manifest has one hash.
        {"adapter": sha256_of_value({Path(name).name: value for name, value in ADAPTER.items()})},
    ],
)
def test_a_training_is_found_by_the_weights_that_the_evaluation_read(
    place: str, read: dict[str, str], tmp_path: Path
) -> None:
    write_training(tmp_path)
    results = evaluated(tmp_path / place, read)
    found = trainings_of(results.runs)["tuned"]
    assert found.name == "x2x"
    assert found.mixture["settings"]["name"] == "paper"


def test_a_merged_model_has_the_training_of_its_adapter(tmp_path: Path) -> None:
    training = write_training(tmp_path)
    outputs = {"model.safetensors": "c" * 64}
    write_stage(tmp_path / "merged", "merge", inputs={"adapter": training}, outputs=outputs)
    results = evaluated(tmp_path / "eval", {"model/model.safetensors": "c" * 64})
    assert trainings_of(results.runs)["tuned"].name == "x2x"


def test_a_model_that_no_training_near_made_has_none(tmp_path: Path) -> None:
    write_training(tmp_path)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "manifest.json").write_text("[not json", encoding="utf-8")
    results = evaluated(tmp_path / "eval", {"model/model.safetensors": "d" * 64})
    assert trainings_of(results.runs) == {}


def test_the_settings_of_a_training_are_those_that_decide_something(tmp_path: Path) -> None:
    write_training(tmp_path)
    results = evaluated(tmp_path / "eval", {"adapter/adapter_model.safetensors": WEIGHTS})
    [training] = trainings_of(results.runs).values()
    assert of_training(training) == {
        "rows": "1,200",
        "tokens": "45,678",
        "rows of x2x/facts": "1,200",
        "seed": "7",
        "method.kind": "lora",
        "method.rank": "8",
        "mixture.name": "paper",
        "mixture.seed": "3",
    }


def test_a_run_in_short(tmp_path: Path) -> None:
    write_training(tmp_path)
    folder = tmp_path / "eval"
    results = evaluated(folder, {"adapter/adapter_model.safetensors": WEIGHTS})
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["settings"] |= {
        "name": "smollm2-135m",
        "engine": {"engine": "hf", "dtype": "float32"},
        "form": {"wordings": ["question"], "shots": 0, "chat": False},
        "model_args": "pretrained=org/model,revision=abc123",
        "seed": 1,
    }
    manifest["finished"] = "2026-11-30T12:00:00+00:00"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    results = load({"tuned": folder})
    assert in_short(results.runs[0], trainings_of(results.runs)["tuned"]) == {
        "model": "smollm2-135m",
        "revision": "abc123",
        "training": "x2x",
        "asked by": "hf",
        "precision": "float32",
        "prompts": "question",
        "shots": "0",
        "seed of the questions": "1",
        "seed of the training": "7",
        "date": "2026-11-30T12:00:00+00:00",
        "crossin": "0.1.0",
    }
