"""The shards as tasks of a local Ray: the corpus of one process, and one budget for all tasks."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from crossin.core.files import read_json
from tests.helpers.translated_rows import (
    config_of,
    corpus_files,
    counts,
    mock_server,
    table_of,
    write_rows,
)

pytest.importorskip("ray", reason="the extra `ray` is not installed")
pytestmark = pytest.mark.slow
ROWS = 40

# Ray in a process of its own: its threads and its exit handlers stay out of the other tests.
TRANSLATE = """
import sys

import ray

from crossin import translate
from crossin.translation.config import TranslateConfig

settings, out, runner = sys.argv[1:]
if runner == "ray":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
stage = translate(TranslateConfig.model_validate_json(settings), out, runner=runner)
print("done", stage.done)
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    return table_of(write_rows(folder / "rows.jsonl", ROWS), folder / "table.json")


def run(table: Path, url: str, out: Path, runner: str, **server: float) -> subprocess.CompletedProcess[str]:
    config = config_of(table.with_name("rows.jsonl"), url, ["es", "zh"], shard_rows=15, server=server)
    return subprocess.run(
        [sys.executable, "-c", TRANSLATE, config.model_dump_json(by_alias=True), str(out), runner],
        env=os.environ | {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_cluster_makes_the_same_corpus(table: Path, tmp_path: Path) -> None:
    with mock_server(table, "--faults", "0.2", "--kinds", "refusal,copy") as url:
        for runner in ("ray", "local"):
            ended = run(table, url, tmp_path / runner, runner)
            assert "done True" in ended.stdout, ended.stdout[-2000:] + ended.stderr[-4000:]
    assert corpus_files(tmp_path / "ray") == corpus_files(tmp_path / "local")
    ray, local = (read_json(tmp_path / name / "manifest.json")["counts"] for name in ("ray", "local"))
    assert ray["responses"] == local["responses"], "those of all tasks are counted"
    assert ray["usage"]["requests"] == local["usage"]["requests"]


def test_one_budget_holds_for_all_tasks(table: Path, tmp_path: Path) -> None:
    prices = {"price_in": 1e3, "price_out": 1e3}
    with mock_server(table, "--delay", "0.1") as url:
        ended = run(table, url, tmp_path / "out", "ray", **prices, budget=4.0, concurrency=2)
        assert ended.returncode != 0 and "budget of 4 is spent" in ended.stderr, ended.stderr[-4000:]
        answered = counts(url)["answered"]
        # About 220 tokens each: 4 buys some 18 of the 80, whoever sends them.
        assert 0 < answered <= 25
        ended = run(table, url, tmp_path / "out", "ray", **prices)
        assert "done True" in ended.stdout, ended.stderr[-4000:]
        seen = counts(url)
    # Ray ends the other tasks where one fails: what they had in flight is requested again.
    assert seen["texts answered"] == 2 * ROWS and seen["answered twice"] <= 4
    counted = read_json(tmp_path / "out" / "manifest.json")["counts"]
    assert counted["responses"]["requested"] == 2 * ROWS
    assert 2 * ROWS <= counted["usage"]["requests"] <= seen["answered"]


def test_one_limit_a_minute_holds_for_all_tasks(table: Path, tmp_path: Path) -> None:
    with mock_server(table) as url:
        begin = time.time()
        ended = run(table, url, tmp_path / "out", "ray", requests_per_minute=1200.0, timeout=60.0)
        assert "done True" in ended.stdout, ended.stderr[-4000:]
    with closing(sqlite3.connect(tmp_path / "out" / "usage.sqlite")) as file:
        [(free,)] = file.execute("SELECT free FROM run").fetchall()
    # Each request took its part of one clock.
    assert free - begin >= 2 * ROWS * 60 / 1200
