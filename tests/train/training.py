"""Runs of the training stage in processes of their own, at one thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from crossin.compose import compose, read_recipe
from crossin.experiment.demo import RECIPE

# Writes each step's number to a file, and dies at one of them.
_SCRIPT = """
import json, os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from crossin.train import TrainConfig, train

entries, out, kill_at = json.loads(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])

def progress(task, done, total, unit, note=""):
    with open(f"{out}.steps", "a") as file:
        file.write(f"{done}\\n")
    if done == kill_at:
        os.kill(os.getpid(), signal.SIGKILL)

train(TrainConfig.model_validate(entries), out, progress=progress)
"""


def mixture_of(facts: Path, out: Path) -> Path:
    """A small mixture of the demo's kinds in English and Spanish."""
    recipe = read_recipe(RECIPE)
    parts = [part.model_copy(update={"rows": 48, "tokens": None}) for part in recipe.components]
    small = recipe.model_copy(update={"components": parts})
    return compose(small, facts, out, languages=["en", "es"]).folder


def train_in_process(entries: dict[str, Any], out: Path, *, kill_at: int = -1, processes: int = 1) -> int:
    """Train in a process of its own, or in several; returns the exit status."""
    script = out.parent / "script.py"
    script.write_text(_SCRIPT)
    start = [sys.executable]
    if processes > 1:
        start += ["-m", "torch.distributed.run", "--nproc-per-node", str(processes), "--standalone"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [*start, str(script), json.dumps(entries), str(out), str(kill_at)]
    return subprocess.run(command, env=environment, check=False).returncode
