"""The time left, from what finished jobs took and where running ones stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossin.core.files import write_json
from crossin.core.formats import MANIFEST
from crossin.experiments.jobs import Job
from crossin.experiments.rates import note_rate
from crossin.experiments.remaining import TimeLeft
from crossin.experiments.watching import JobEvent
from tests.helpers.made_up_jobs import job


class Clock:
    """A clock that goes on only when asked to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def finish(one: Job, out: Path, seconds: float) -> JobEvent:
    """What a run of a job leaves behind, and its event."""
    write_json(one.folder(out) / MANIFEST, {"counts": {}})
    note_rate(one, out, seconds, at_once=1, cache=False)
    return JobEvent("finished", one.key, seconds=seconds, whole=True)


JOBS = [job("a"), job("b"), job("c")]


def test_before_a_job_has_run_its_time_is_unknown(tmp_path: Path) -> None:
    assert TimeLeft(JOBS, tmp_path).seconds() == (0, ["train"])


def test_what_a_finished_job_took_the_others_will_take(tmp_path: Path) -> None:
    clock = Clock()
    left = TimeLeft(JOBS, tmp_path, clock=clock)
    left.note(JobEvent("started", "a-key"))
    left.note(finish(JOBS[0], tmp_path, 60))
    assert left.seconds() == (120, [])
    left.note(JobEvent("started", "b-key"))
    clock.now += 20
    assert left.seconds() == (100, [])


def test_several_at_a_time_take_less(tmp_path: Path) -> None:
    left = TimeLeft(JOBS, tmp_path, at_once=2)
    left.note(finish(JOBS[0], tmp_path, 60))
    assert left.seconds() == (60, [])


def test_failed_and_skipped_jobs_take_no_more_time(tmp_path: Path) -> None:
    left = TimeLeft(JOBS, tmp_path)
    left.note(finish(JOBS[0], tmp_path, 60))
    left.note(JobEvent("failed", "b-key"))
    left.note(JobEvent("skipped", "c-key"))
    assert left.seconds() == (0, [])


def test_the_first_job_of_a_stage_is_judged_by_its_progress(tmp_path: Path) -> None:
    clock = Clock()
    left = TimeLeft(JOBS[:1], tmp_path, clock=clock)
    left.note(JobEvent("started", "a-key"))
    left.note(JobEvent("progress", "a-key", task="loading", done=0, total=1))
    clock.now += 30
    left.note(JobEvent("progress", "a-key", task="training", done=10, total=50))
    assert left.seconds() == (0, ["train"]), "a resumed task has no rate yet"
    clock.now += 10
    left.note(JobEvent("progress", "a-key", task="training", done=20, total=50))
    assert left.seconds() == (30, [])


@pytest.mark.parametrize(("done", "expected"), [(0, 0), (30, 80)])
def test_a_job_that_takes_longer_than_the_others_is_judged_by_its_progress(
    tmp_path: Path, done: int, expected: float
) -> None:
    clock = Clock()
    left = TimeLeft(JOBS[:2], tmp_path, clock=clock)
    left.note(finish(JOBS[0], tmp_path, 60))
    left.note(JobEvent("started", "b-key"))
    left.note(JobEvent("progress", "b-key", task="training", done=0, total=50))
    clock.now += 120
    left.note(JobEvent("progress", "b-key", task="training", done=done, total=50))
    assert left.seconds() == (expected, [])
