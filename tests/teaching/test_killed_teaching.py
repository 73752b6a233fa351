"""Killed with SIGKILL while it asks, and started again: the same bytes, and nothing asked twice."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from crossin.core.files import read_json, sha256
from crossin.facts import build_bench
from crossin.teaching.run import teach
from tests.helpers.apart import run

OUTPUTS = ("questions.parquet", "names.parquet", "asked.parquet")


def teach_until(settings: dict[str, Any], out: Path, kill_at: int) -> None:
    """Teach; the process is killed once so many questions were answered."""
    torch.set_num_threads(1)

    def progress(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        if task.startswith("asking") and done == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    teach(settings, out, progress=progress)


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_bytes(facts_folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    bench = build_bench(facts_folder, tmp_path / "bench").folder
    settings = {"model": str(tiny_model), "questions": bench, "limit": 60, "margin": 0, "device": "cpu"}
    whole = teach(settings, tmp_path / "whole")
    asked = 3 * whole.manifest["counts"]["questions"]
    for _ in range(2):
        assert run(teach_until, settings, tmp_path / "killed", asked // 3) == -signal.SIGKILL
    assert run(teach_until, settings, tmp_path / "killed", -1) == 0
    assert [sha256(tmp_path / "killed" / name) for name in OUTPUTS] == [
        sha256(whole.folder / name) for name in OUTPUTS
    ]
    counts = read_json(tmp_path / "killed" / "manifest.json")["counts"]
    assert counts.pop("answers_from_cache") > 0
    assert counts == {k: v for k, v in whole.manifest["counts"].items() if k != "answers_from_cache"}
