"""Running an experiment's jobs in this process: order, failures, what is skipped, and interrupts."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from crossin.core.interrupts import RESUMES
from crossin.core.stages import stage
from crossin.experiments.scheduling import run_jobs
from crossin.experiments.watching import JobEvent
from tests.helpers.errors import refused
from tests.helpers.made_up_jobs import job, results, run_made_up, two_arms, wait_for


def send_when_it_holds(out: Path, number: int) -> None:
    """Send this process a signal while the first training holds."""
    wait_for(out / "begun" / "tuned-a holds")
    os.kill(os.getpid(), number)


def test_jobs_run_in_their_order_each_once(tmp_path: Path) -> None:
    jobs, events = two_arms(), list[JobEvent]()
    outcome = run_jobs(jobs, tmp_path, run_made_up, watch=events.append)
    assert outcome.finished == tuple(one.key for one in jobs)
    assert not outcome.failed and not outcome.skipped and not outcome.left
    assert [event.key for event in events if event.kind == "started"] == list(outcome.finished)
    assert results(tmp_path)["evaluate-answers-a-key"] == "answers-a(tuned-a(mixture-a(facts())))"


def test_what_a_job_needs_is_run_where_only_the_job_is_given(tmp_path: Path) -> None:
    outcome = run_jobs(two_arms()[-1:], tmp_path, run_made_up)
    assert outcome.finished == ("facts-key", "mixture-b-key", "tuned-b-key", "answers-b-key")


def test_events_say_how_far_a_job_is(tmp_path: Path) -> None:
    events = list[JobEvent]()
    run_jobs([job("a")], tmp_path, run_made_up, watch=events.append)
    assert [(event.kind, event.done, event.total, event.unit) for event in events[1:3]] == [
        ("progress", 0, 2, "steps"),
        ("progress", 2, 2, "steps"),
    ]
    assert events[-1].kind == "finished" and events[-1].seconds > 0 and events[-1].whole


def test_a_failed_job_stops_only_what_needs_it(tmp_path: Path) -> None:
    events = list[JobEvent]()
    outcome = run_jobs(two_arms(error="too small"), tmp_path, run_made_up, watch=events.append)
    assert set(outcome.finished) == {
        *("facts-key", "mixture-a-key", "mixture-b-key", "tuned-b-key", "answers-b-key")
    }
    assert outcome.failed["tuned-a-key"].error == "too small. Hint: a hint"
    assert outcome.failed["tuned-a-key"].detail == ""
    assert outcome.skipped == {"answers-a-key": "tuned-a-key"}
    failure = outcome.first_failure("answers-a-key")
    assert failure is outcome.failed["tuned-a-key"] and outcome.first_failure("facts-key") is None
    assert [event.error for event in events if event.kind == "skipped"] == [
        "needs 'train: tuned-a', which failed"
    ]


def test_an_error_in_the_code_of_a_job_is_reported_with_its_traceback(tmp_path: Path) -> None:
    outcome = run_jobs(two_arms(bug="odd"), tmp_path, run_made_up)
    failure = outcome.failed["tuned-a-key"]
    assert failure.error == "ValueError: odd" and "run_made_up" in failure.detail
    assert "answers-b-key" in outcome.finished


def test_a_failed_job_runs_again_with_the_next_command(tmp_path: Path) -> None:
    run_jobs(two_arms(error="for now"), tmp_path, run_made_up)
    events = list[JobEvent]()
    outcome = run_jobs(two_arms(), tmp_path, run_made_up, watch=events.append)
    assert len(outcome.finished) == 7
    whole = {event.key for event in events if event.kind == "finished" and event.whole}
    assert whole == {"tuned-a-key", "answers-a-key"}, "the others were found finished"


def test_a_job_that_ends_without_a_result_has_failed(tmp_path: Path) -> None:
    def unfinished(job, out, progress):  # type: ignore[no-untyped-def]
        with stage(job.folder(out), job.stage, {}, {}) as work:
            return work

    outcome = run_jobs([job("a")], tmp_path, unfinished)
    assert "without a result" in outcome.failed["a-key"].error


def test_a_full_disk_is_one_error_and_no_other_job_is_started(tmp_path: Path) -> None:
    events = list[JobEvent]()
    with refused("train: tuned-a", "No space left on device", hint="the same command resumes"):
        run_jobs(two_arms(full=True), tmp_path, run_made_up, watch=events.append)
    assert "mixture-b-key" not in {event.key for event in events if event.kind == "started"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_and_the_next_command_resumes(tmp_path: Path, number: int) -> None:
    sender = threading.Thread(target=send_when_it_holds, args=(tmp_path, number))
    sender.start()
    # A command in the background is started with SIGINT ignored.
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as stopped:
            run_jobs(two_arms(hold=True), tmp_path, run_made_up)
    finally:
        signal.signal(number, before)
    sender.join()
    assert stopped.value.__notes__ == [RESUMES]
    assert (tmp_path / "stages" / "train-tuned-a-key" / "part.txt").exists()
    events = list[JobEvent]()
    outcome = run_jobs(two_arms(hold=True), tmp_path, run_made_up, watch=events.append)
    assert len(outcome.finished) == 7
    [tuned] = [event for event in events if event.kind == "finished" and event.key == "tuned-a-key"]
    assert not tuned.whole, "a part of its time was in the first run"


def test_ways_of_running_that_exclude_each_other_are_refused(tmp_path: Path) -> None:
    with refused("three ways", hint="one of"):
        run_jobs([], tmp_path, run_made_up, processes=2, world_size=2)
    with refused("no rank 2 of 2", hint="0 to"):
        run_jobs([], tmp_path, run_made_up, rank=2, world_size=2)
    with refused("0 jobs", hint="1 or more"):
        run_jobs([], tmp_path, run_made_up, processes=0)
    with refused("no runner 'slurm'", hint="ray"):
        run_jobs([], tmp_path, run_made_up, runner="slurm")  # type: ignore[arg-type]
