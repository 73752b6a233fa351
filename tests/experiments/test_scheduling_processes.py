"""Running an experiment's jobs in several processes: at the same time, killed, stopped, replaced."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from crossin.core.interrupts import RESUMES
from crossin.core.progress import Progress
from crossin.core.stages import Stage
from crossin.experiments.jobs import Job
from crossin.experiments.processes import threads_of
from crossin.experiments.scheduling import run_jobs
from crossin.experiments.watching import JobEvent
from tests.helpers import apart
from tests.helpers.errors import refused
from tests.helpers.made_up_jobs import job, results, run_made_up, two_arms, wait_for
from tests.helpers.paths import ROOT


@pytest.fixture(autouse=True)
def checkout_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes find the helpers by the paths of this one, which pytest does not add the checkout to."""
    monkeypatch.syspath_prepend(str(ROOT))


def test_two_processes_give_the_results_of_one(tmp_path: Path) -> None:
    events = list[JobEvent]()
    run_jobs(two_arms(), tmp_path / "one", run_made_up)
    outcome = run_jobs(two_arms(), tmp_path / "two", run_made_up, processes=2, watch=events.append)
    assert results(tmp_path / "two") == results(tmp_path / "one")
    assert len(outcome.finished) == 7
    kinds = [event.kind for event in events if event.key == "tuned-a-key"]
    assert kinds == ["started", "progress", "progress", "finished"], "events come from the processes too"


def test_jobs_run_at_the_same_time(tmp_path: Path) -> None:
    # Each waits for the other: one after another, they would never end.
    jobs = [job("a", meet=["b"]), job("b", meet=["a"])]
    outcome = run_jobs(jobs, tmp_path, run_made_up, processes=2)
    assert outcome.finished == ("a-key", "b-key")


def test_a_job_starts_when_all_that_it_needs_is_finished(tmp_path: Path) -> None:
    first, other = job("first", meet=["other"]), job("other", meet=["first"])
    events = list[JobEvent]()
    run_jobs(
        [first, other, job("last", first, other)], tmp_path, run_made_up, processes=3, watch=events.append
    )
    order = [(event.kind, event.key) for event in events if event.kind in ("started", "finished")]
    assert order.index(("started", "last-key")) == 4


def test_a_killed_process_fails_its_job_and_is_replaced(tmp_path: Path) -> None:
    outcome = run_jobs(two_arms(die=signal.SIGKILL), tmp_path, run_made_up, processes=2)
    assert list(outcome.failed) == ["tuned-a-key"] and list(outcome.skipped) == ["answers-a-key"]
    error = outcome.failed["tuned-a-key"].error
    assert "SIGKILL" in error and "memory" in error
    log = tmp_path / "logs" / "train-tuned-a-key.log"
    assert str(log) in error and log.read_text("utf-8") == "output of tuned-a\n"
    assert {"tuned-b-key", "answers-b-key"} <= set(outcome.finished)
    # The next command resumes.
    assert len(run_jobs(two_arms(), tmp_path, run_made_up, processes=2).finished) == 7


def test_more_processes_may_die_than_there_are(tmp_path: Path) -> None:
    jobs = [job(name, leave=3) for name in "abcde"]
    outcome = run_jobs([*jobs, job("f")], tmp_path, run_made_up, processes=2)
    assert list(outcome.failed) == [one.key for one in jobs] and outcome.finished == ("f-key",)
    assert "exit code 3" in outcome.failed["a-key"].error


def test_failures_and_tracebacks_come_from_the_processes(tmp_path: Path) -> None:
    jobs = [job("a", error="too small"), job("b", bug="odd")]
    outcome = run_jobs(jobs, tmp_path, run_made_up, processes=2)
    assert outcome.failed["a-key"].error == "too small. Hint: a hint"
    assert "run_made_up" in outcome.failed["b-key"].detail


def test_a_full_disk_is_one_error_once_the_other_jobs_have_ended(tmp_path: Path) -> None:
    with refused("train: a", "No space left", hint="same command"):
        run_jobs([job("a", full=True), job("b", meet=["a"])], tmp_path, run_made_up, processes=2)


def interrupted(out: Path, number: int) -> None:
    """Run two arms until they are stopped; the notes go into a file."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_jobs(holding_arms(), out, run_made_up, processes=2)
    except KeyboardInterrupt as stopped:
        (out / "notes").write_text("\n".join(stopped.__notes__), encoding="utf-8")
        raise SystemExit(7) from stopped


def holding_arms() -> list[Job]:
    return [job("a", hold=True), job("b", hold=True)]


def wait_until_they_hold(out: Path, process: BaseProcess) -> None:
    for name in "ab":
        wait_for(out / "begun" / f"{name} holds", process.is_alive)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_the_processes_which_save_what_they_have(tmp_path: Path, number: int) -> None:
    process = apart.start(interrupted, tmp_path, number)
    wait_until_they_hold(tmp_path, process)
    assert process.pid is not None
    os.kill(process.pid, number)
    process.join()
    assert process.exitcode == 7
    for name in "ab":
        assert (tmp_path / "stages" / f"train-{name}-key" / "part.txt").read_text() == "saved"
        assert not is_alive(int((tmp_path / "begun" / name).read_text())), "they are waited for"
    notes = (tmp_path / "notes").read_text("utf-8").splitlines()
    assert sorted(notes) == [f"train: a: {RESUMES}", f"train: b: {RESUMES}"]
    assert len(run_jobs(holding_arms(), tmp_path, run_made_up, processes=2).finished) == 2


@pytest.mark.slow
def test_where_the_command_is_killed_its_processes_save_and_end(tmp_path: Path) -> None:
    process = apart.start(interrupted, tmp_path, signal.SIGKILL)
    wait_until_they_hold(tmp_path, process)
    process.kill()
    process.join()
    # Whoever is still at work is waited for.
    outcome = run_jobs(holding_arms(), tmp_path, run_made_up, processes=2)
    assert outcome.finished == ("a-key", "b-key")
    while any(is_alive(int((tmp_path / "begun" / name).read_text())) for name in "ab"):
        time.sleep(0.01)


def killed_at(out: Path, event: int, processes: int) -> None:
    """Run two arms in a process that is killed when so many events have come."""
    seen = 0

    def watch(_: JobEvent) -> None:
        nonlocal seen
        seen += 1
        if seen == event:
            os.kill(os.getpid(), signal.SIGKILL)

    run_jobs(two_arms(), out, run_made_up, processes=processes, watch=watch)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_killed_at_any_moment_and_started_again_the_results_are_the_same(
    tmp_path: Path, processes: int
) -> None:
    run_jobs(two_arms(), tmp_path / "whole", run_made_up)
    runs = 0
    while apart.run(killed_at, tmp_path / "out", 3 + 4 * runs, processes) == -signal.SIGKILL:
        runs += 1
    assert runs >= 3
    assert results(tmp_path / "out") == results(tmp_path / "whole")
    # Nothing of the killed runs is left in the folders.
    assert len(list((tmp_path / "out" / "stages").rglob("*"))) == 7 * 3


def is_alive(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_process_has_its_part_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [threads_of(count) for count in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert [threads_of(count) for count in (1, 2, 4)] == [3, 3, 2]


def threads(job: Job, out: Path, progress: Progress) -> Stage:
    (out / f"{job.key}.txt").write_text(os.environ["OMP_NUM_THREADS"], encoding="utf-8")
    return run_made_up(job, out, progress)


def test_libraries_see_the_threads_before_they_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS")
    run_jobs([job("a"), job("b")], tmp_path, threads, processes=2)
    assert [(tmp_path / f"{name}-key.txt").read_text() for name in "ab"] == ["3", "3"]
    assert "OMP_NUM_THREADS" not in os.environ
