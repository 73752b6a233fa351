"""The Ray runner on a local cluster of two workers, one of which is killed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossin.mixture import compose
from tests.helpers.paths import ROOT
from tests.helpers.small_corpora import recipe_of, write_corpus
from tests.mixture.test_mixture import MIXED, files_of

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="the extra `ray` is not installed")

# Ray in a process of its own: its threads and its exit handlers stay out of the other tests. The first task
# to make shard 3 kills the process that it runs in, with a signal that nothing can catch; a file remembers
# that it has happened.
COMPOSE = """
import os, signal, sys
from pathlib import Path

import ray

import crossin.mixture.run as run
from crossin.mixture import compose
from crossin.mixture.shards import write_shard
from tests.helpers.small_corpora import recipe_of
from tests.mixture.test_mixture import MIXED

data, out, killed = map(Path, sys.argv[1:])

def write_or_die(job, folder, number):
    if number == 3 and not killed.exists():
        killed.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return write_shard(job, folder, number)

if str(killed) != "never":
    run.write_shard = write_or_die
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
stage = compose(recipe_of(*MIXED, shard_rows=20), data, out, runner="ray")
print("done", stage.done, stage.manifest["counts"]["rows"])
"""


@pytest.mark.parametrize("kill", [False, True], ids=["two workers", "one of two workers killed"])
def test_a_cluster_gives_the_same_bytes(tmp_path: Path, kill: bool) -> None:
    data = write_corpus(tmp_path / "data", 60)
    killed = tmp_path / "killed" if kill else Path("never")
    here = ROOT
    command = [sys.executable, "-c", COMPOSE, str(data), str(tmp_path / "cluster"), str(killed)]
    paths = os.pathsep.join(filter(None, [str(here), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": paths, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    ended = subprocess.run(
        command, cwd=here, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert "done True 173" in ended.stdout, ended.stdout[-2000:] + ended.stderr[-4000:]
    assert killed.exists() == kill
    whole = compose(recipe_of(*MIXED, shard_rows=20), data, tmp_path / "whole")
    assert files_of(tmp_path / "cluster") == files_of(whole.folder)
