"""Runs of the training stage in processes of their own, at one thread."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from crossin.experiments.demo import RECIPE
from crossin.mixture import compose, read_recipe
from crossin.training import TrainConfig, train
from tests.helpers.apart import run


def mixture_of(facts: Path, out: Path) -> Path:
    """A small mixture of the demo's kinds in English and Spanish."""
    recipe = read_recipe(RECIPE)
    parts = [part.model_copy(update={"rows": 48, "tokens": None}) for part in recipe.components]
    small = recipe.model_copy(update={"components": parts})
    return compose(small, facts, out, languages=["en", "es"]).folder


def train_in_process(
    entries: dict[str, Any],
    out: Path,
    *,
    kill_at: int = -1,
    number: int = signal.SIGKILL,
    processes: int = 1,
) -> int:
    """Train in a process of its own, or in several; returns the exit status. The number of each step is
    written to a file beside `out`, and at the step `kill_at` the process (of several, the first) gets the
    signal `number`.
    """
    if processes == 1:
        return run(_train, entries, out, kill_at, int(number))
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    command = [*start, "--standalone", __file__, json.dumps(entries), str(out), str(kill_at)]
    command.append(str(int(number)))
    # pytest imports `tests` without putting its folder on the path.
    places = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": places}
    return subprocess.run(command, env=environment, check=False).returncode


def _train(entries: dict[str, Any], out: Path, kill_at: int, number: int) -> None:
    torch.set_num_threads(1)

    def progress(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        with Path(f"{out}.steps").open("a") as file:
            file.write(f"{done}\n")
        if done == kill_at:
            os.kill(os.getpid(), number)

    train(TrainConfig.model_validate(entries), out, progress=progress)


if __name__ == "__main__":
    _train(json.loads(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
