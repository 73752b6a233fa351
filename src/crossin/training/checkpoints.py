"""The checkpoints of a run: which is the last whole one."""

from __future__ import annotations

import shutil
from pathlib import Path

from crossin.training.record import RECORD

CHECKPOINTS = "checkpoints"


def last_checkpoint(out: Path) -> Path | None:
    """The last whole checkpoint of the run in `out`; those that a kill left in pieces are removed."""
    whole = []
    for folder in (out / CHECKPOINTS).glob("checkpoint-*"):
        if (folder / RECORD).exists():
            whole.append(folder)
        else:
            shutil.rmtree(folder)
    return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)
