"""Killed with SIGKILL at any moment and started again: the same corpus, and no response is requested again.

CROSSIN_KILLS says how often it is killed; a few times if not set.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crossin.core.files import read_json
from crossin.core.hashing import hash64
from tests.helpers.translated_rows import corpus_files, counts, mock_server, table_of, write_rows

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("CROSSIN_KILLS", "3"))
ROWS = 160
CONCURRENCY = 4


def command(home: Path, out: str, url: str) -> list[str]:
    return [
        *(sys.executable, "-m", "crossin.cli.main", "translate", str(home / "rows.jsonl")),
        *("--to", "es", "zh"),
        *("--engine", "openai", "--model", "mock", "--base-url", url),
        *("--concurrency", str(CONCURRENCY), "--shard-rows", "50", "--out", str(home / out)),
    ]


def test_a_killed_run_ends_with_the_bytes_of_one_that_was_not(tmp_path: Path) -> None:
    table = table_of(write_rows(tmp_path / "rows.jsonl", ROWS), tmp_path / "table.json")
    faults = ("--delay", "0.02", "--faults", "0.2", "--kinds", "429,500,cut stream,refusal,copy")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with mock_server(table, *faults) as url:
        killed = 0
        for number in range(KILLS):
            process = subprocess.Popen(command(tmp_path, "killed", url), **quiet)  # type: ignore[call-overload]
            while counts(url)["answered"] < (number + 1) * 15 and process.poll() is None:
                time.sleep(0.005)
            time.sleep(hash64("kill", str(number)) / 2**64 * 0.5)
            if process.poll() is None:
                process.kill()
                killed += 1
            process.wait()
        assert killed, "no run was hit"
        subprocess.run(command(tmp_path, "killed", url), check=True)
        seen = counts(url)
    with mock_server(table, *faults) as url:
        subprocess.run(command(tmp_path, "whole", url), check=True)
        undisturbed = counts(url)
    counted, whole = (
        read_json(tmp_path / name / "manifest.json")["counts"]["responses"] for name in ("killed", "whole")
    )
    assert counted["requested"] == whole["requested"] == seen["texts answered"], (
        "those before the kills count"
    )
    usage = read_json(tmp_path / "killed" / "manifest.json")["counts"]["usage"]
    assert usage["requests"] >= seen["texts answered"] - killed * CONCURRENCY, "those before the kills count"
    assert corpus_files(tmp_path / "killed") == corpus_files(tmp_path / "whole")
    # What the server had answered, but the process had not yet received or cached when it was killed.
    assert undisturbed["answered twice"] == 0
    assert seen["answered twice"] <= killed * 2 * CONCURRENCY
