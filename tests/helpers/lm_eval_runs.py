"""Runs of the real lm-evaluation-harness on its own tasks, with small data sets in place of the hub's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

Rows = Sequence[Mapping[str, Any]]


def write_task(place: Path, name: str, source: str, rows: Rows) -> None:
    """The harness's own task, included from its file `source`, on other rows."""
    import lm_eval

    (place / "tasks").mkdir(parents=True, exist_ok=True)
    data = place / f"{name}.jsonl"
    data.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    config = {
        "include": str(Path(lm_eval.__file__).parent / "tasks" / source),
        "task": name,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {
            "data_files": {split: str(data) for split in ("train", "validation", "test", "eval", "dev")}
        },
    }
    (place / "tasks" / f"{name}.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def run_lm_eval(place: Path, model: Path, tasks: Sequence[str], *more: str) -> Path:
    """The folder of the model's logs, after `lm_eval` has asked these tasks."""
    command = f"-m lm_eval --model hf --model_args pretrained={model},dtype=float32 --device cpu"
    command += (
        f" --tasks {','.join(tasks)} --include_path tasks --log_samples --output_path out --batch_size 8"
    )
    offline = {"HF_HOME": str(place / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command.split(), *more],
        cwd=place,
        env={**os.environ, **offline},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    [folder] = (place / "out").iterdir()
    return folder
