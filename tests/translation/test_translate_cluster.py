"""The shards as tasks of a local Ray: the same corpus as from one process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.small_rows import counts, stand_in, table_of, write_rows
from tests.translation.test_translate_run import corpus_files

pytest.importorskip("ray", reason="the extra `ray` is not installed")

# Ray in a process of its own: its threads and its exit handlers stay out of the other tests.
TRANSLATE = """
import sys
from pathlib import Path

import ray

from crossin.translation import translate
from crossin.translation.engines.openai import OpenAITranslator
from crossin.translation.shard import Setup

rows, out, url, runner = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
if runner == "ray":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
setup = Setup(OpenAITranslator("stand-in", url), "en")
stage = translate(rows, out, setup, ["es", "zh"], shard_rows=15, runner=runner)
print("done", stage.done, stage.manifest["counts"]["rows"])
"""


def test_a_cluster_makes_the_same_corpus(tmp_path: Path) -> None:
    table = table_of(write_rows(tmp_path / "rows.jsonl", 40), tmp_path / "table.json")
    with stand_in(table, "--faults", "0.2", "--kinds", "refusal,copy") as url:
        for runner in ("ray", "local"):
            ended = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    TRANSLATE,
                    str(tmp_path / "rows.jsonl"),
                    str(tmp_path / runner),
                    url,
                    runner,
                ],
                env=os.environ | {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
            assert "done True 40" in ended.stdout, ended.stdout[-2000:] + ended.stderr[-4000:]
        assert counts(url)["answered"] > 0
    assert corpus_files(tmp_path / "ray") == corpus_files(tmp_path / "local")
