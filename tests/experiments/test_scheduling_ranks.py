"""Several processes that share an experiment's folder and nothing else, as those of a Slurm array do."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from crossin.experiments.board import JobsOutcome
from crossin.experiments.jobs import Job
from crossin.experiments.ranks import own_jobs
from crossin.experiments.scheduling import run_jobs
from crossin.experiments.watching import JobEvent
from tests.helpers import apart
from tests.helpers.errors import refused
from tests.helpers.made_up_jobs import job, results, run_made_up, two_arms, wait_for


def run_rank(jobs: list[Job], out: Path, rank: int, ranks: int = 2) -> JobsOutcome:
    return run_jobs(jobs, out, run_made_up, rank=rank, world_size=ranks)


def ending_well(jobs: list[Job], out: Path, rank: int) -> None:
    outcome = run_rank(jobs, out, rank)
    (out / f"left-{rank}").write_text(str(len(outcome.left)), encoding="utf-8")
    assert not outcome.failed and not outcome.skipped


def test_each_rank_begins_with_whole_arms_of_its_own() -> None:
    jobs = two_arms()
    assert [one.settings["name"] for one in own_jobs(jobs, 0, 2)] == [
        "facts",
        "mixture-a",
        "tuned-a",
        "answers-a",
    ]
    assert [one.settings["name"] for one in own_jobs(jobs, 1, 2)] == [
        "facts",
        "mixture-b",
        "tuned-b",
        "answers-b",
    ]
    assert own_jobs(jobs, 2, 3) == []


def test_one_rank_alone_does_the_work_of_those_that_never_start(tmp_path: Path) -> None:
    events = list[JobEvent]()
    outcome = run_jobs(two_arms(), tmp_path, run_made_up, rank=1, world_size=2, watch=events.append)
    assert len(outcome.finished) == 7 and not outcome.left
    started = [event.key for event in events if event.kind == "started"]
    assert started[:4] == ["facts-key", "mixture-b-key", "tuned-b-key", "answers-b-key"], "its own come first"


def test_two_ranks_at_once_do_each_job_once(tmp_path: Path) -> None:
    # Each arm's training waits for the other's: no rank alone could do both.
    facts = job("facts", kind="facts")
    jobs = [facts, job("a", facts, meet=["b"]), job("b", facts, meet=["a"])]
    ranks = [apart.start(ending_well, jobs, tmp_path, rank) for rank in range(2)]
    for rank in ranks:
        rank.join()
        assert rank.exitcode == 0
    assert results(tmp_path) == {
        "facts-facts-key": "facts()",
        "train-a-key": "a(facts())",
        "train-b-key": "b(facts())",
    }
    assert int((tmp_path / "begun" / "a").read_text()) != int((tmp_path / "begun" / "b").read_text())
    # Whoever ends last finds all of them finished.
    assert "0" in {(tmp_path / f"left-{rank}").read_text() for rank in range(2)}
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_job_that_another_rank_runs_is_waited_for(tmp_path: Path) -> None:
    facts = job("facts", kind="facts", meet=["go"])
    jobs = [facts, job("a", facts), job("b", facts)]
    first = apart.start(ending_well, jobs, tmp_path, 0)
    wait_for(tmp_path / "begun" / "facts", first.is_alive)

    def watch(event: JobEvent) -> None:
        if event.task == "waiting for another rank":
            (tmp_path / "begun" / "go").touch()

    outcome = run_jobs(jobs, tmp_path, run_made_up, rank=1, world_size=2, watch=watch)
    first.join()
    assert first.exitcode == 0 and not outcome.failed and "b-key" in outcome.finished


def test_a_rank_leaves_to_another_what_that_one_runs(tmp_path: Path) -> None:
    jobs = [job("a", meet=["go"]), job("b")]
    first = apart.start(ending_well, jobs, tmp_path, 0)
    wait_for(tmp_path / "begun" / "a", first.is_alive)
    outcome = run_rank(jobs, tmp_path, 1)
    assert outcome.finished == ("b-key",) and outcome.left == ("a-key",)
    (tmp_path / "begun" / "go").touch()
    first.join()
    assert (tmp_path / "left-0").read_text() == "0"


def test_a_rank_that_is_killed_and_started_again_ends_with_the_same_files(tmp_path: Path) -> None:
    jobs = two_arms(die=signal.SIGKILL)
    killed = apart.start(ending_well, jobs, tmp_path / "ranks", 0)
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    ranks = [apart.start(ending_well, jobs, tmp_path / "ranks", rank) for rank in range(2)]
    for rank in ranks:
        rank.join()
        assert rank.exitcode == 0
    run_jobs(two_arms(), tmp_path / "one", run_made_up)
    assert results(tmp_path / "ranks") == results(tmp_path / "one")


def test_the_lock_of_a_killed_rank_does_not_keep_the_others_waiting(tmp_path: Path) -> None:
    jobs = two_arms(die=signal.SIGKILL)
    assert apart.run(ending_well, jobs, tmp_path, 0) == -signal.SIGKILL
    outcome = run_rank(jobs, tmp_path, 1)
    assert len(outcome.finished) == 7


def test_ranks_hear_of_each_others_failures_and_do_not_repeat_them(tmp_path: Path) -> None:
    jobs = two_arms(error="too small")
    first, other = run_rank(jobs, tmp_path, 0), run_rank(jobs, tmp_path, 1)
    assert first == other, "both know that it failed"
    assert list(other.failed) == ["tuned-a-key"] and other.skipped == {"answers-a-key": "tuned-a-key"}
    began = (tmp_path / "begun" / "tuned-a").stat().st_mtime_ns
    run_rank(jobs, tmp_path, 1)
    assert (tmp_path / "begun" / "tuned-a").stat().st_mtime_ns == began


def test_a_failed_job_is_run_again_when_its_rank_is(tmp_path: Path) -> None:
    run_rank(two_arms(error="for now"), tmp_path, 0)
    outcome = run_rank(two_arms(), tmp_path, 0)
    assert len(outcome.finished) == 7 and not outcome.failed


def test_a_file_system_without_locks_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossin.experiments.ranks.lock", lambda _: None)
    with refused("no locks", file=tmp_path, hint="--jobs"):
        run_rank(two_arms(), tmp_path, 0)
