"""Jobs as tasks of a local Ray with two workers, one of which is killed in its job."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from crossin.core.interrupts import RESUMES
from crossin.experiments.scheduling import run_jobs
from tests.helpers.made_up_jobs import results, run_made_up, two_arms, wait_for
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="the extra `ray` is not installed")

# Ray in a process of its own: its threads and its exit handlers stay out of the other tests.
RUN = """
import json, signal, sys
from pathlib import Path

import ray

from crossin.core.errors import CrossinError
from crossin.experiments.jobs import Job
from crossin.experiments.scheduling import run_jobs
from tests.helpers.made_up_jobs import job, run_made_up, two_arms

out, what = Path(sys.argv[1]), json.loads(sys.argv[2])
gpus = what.pop("gpus", 0)
ours = what.pop("ours", False)
cpus = what.pop("cpus", 1)
jobs = [Job("train", "train: a", {"name": "a"}, "a-key", (), gpus)] if gpus else two_arms(**what)
kinds = set()
# As the command line does, whose handler makes it an interrupt. In the background, SIGINT would be ignored.
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, signal.default_int_handler)
if not ours:
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
try:
    watch = lambda event: kinds.add(event.kind)
    outcome = run_jobs(jobs, out, run_made_up, runner="ray", cpus=cpus, watch=watch)
    print(json.dumps({"finished": outcome.finished, "skipped": outcome.skipped, "kinds": sorted(kinds),
                      "failed": {key: one.error for key, one in outcome.failed.items()}}))
except KeyboardInterrupt as stopped:
    if not ours:
        # The cluster goes on: so do the tasks that waited for a worker, before this one.
        ray.get(ray.remote(num_cpus=2)(lambda: None).remote())
    print(json.dumps({"notes": stopped.__notes__}))
except CrossinError as error:
    print(json.dumps({"error": str(error)}))
"""


def start(out: Path, **what: Any) -> subprocess.Popen[str]:
    """Run two arms on a cluster; `what` is in the settings of the first training."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"PYTHONPATH": paths, "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}
    command = [sys.executable, "-c", RUN, str(out), json.dumps(what)]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process: subprocess.Popen[str]) -> Any:
    written, errors = process.communicate(timeout=300)
    # Ray writes there, too, before and after.
    ours = [line for line in written.splitlines() if line.startswith("{")]
    assert ours, written[-2000:] + errors[-4000:]
    return json.loads(ours[-1])


@pytest.mark.parametrize("number", [None, signal.SIGKILL], ids=["two workers", "one of two workers killed"])
def test_a_cluster_gives_the_same_results(tmp_path: Path, number: int | None) -> None:
    found = ended(start(tmp_path / "ray", **({} if number is None else {"die": number})))
    assert len(found["finished"]) == 7 and not found["failed"]
    assert {"started", "progress", "finished"} <= set(found["kinds"])
    run_jobs(two_arms(), tmp_path / "one", run_made_up)
    assert results(tmp_path / "ray") == results(tmp_path / "one")


def test_a_failed_job_stops_only_what_needs_it(tmp_path: Path) -> None:
    found = ended(start(tmp_path, error="too small"))
    assert found["failed"] == {"tuned-a-key": "too small. Hint: a hint"}
    assert found["skipped"] == {"answers-a-key": "tuned-a-key"} and "answers-b-key" in found["finished"]


def test_a_job_whose_worker_is_always_lost_fails(tmp_path: Path) -> None:
    found = ended(start(tmp_path, leave=3))
    assert "4 times" in found["failed"]["tuned-a-key"]
    assert "answers-b-key" in found["finished"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_tasks_which_save_what_they_have(tmp_path: Path, number: int) -> None:
    process = start(tmp_path, hold=True, ours=True)
    wait_for(tmp_path / "begun" / "tuned-a holds", lambda: process.poll() is None)
    process.send_signal(number)
    assert ended(process) == {"notes": [RESUMES]}
    assert (tmp_path / "stages" / "train-tuned-a-key" / "part.txt").read_text() == "saved"


def test_a_job_that_waits_for_a_worker_does_not_begin_after_an_interrupt(tmp_path: Path) -> None:
    process = start(tmp_path, hold=True, cpus=2)
    wait_for(tmp_path / "begun" / "tuned-a holds", lambda: process.poll() is None)
    process.send_signal(signal.SIGINT)
    assert ended(process) == {"notes": [RESUMES]}
    assert not (tmp_path / "begun" / "tuned-b").exists()


def test_gpus_that_no_machine_has_are_an_error_instead_of_a_wait(tmp_path: Path) -> None:
    found = ended(start(tmp_path, gpus=2))
    assert "needs 2 GPUs" in found["error"] and "0 at most" in found["error"]
