"""An experiment while it runs: the table in a terminal, the lines in a log."""

from __future__ import annotations

import io
import re
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from crossin.cli import experiment_live
from crossin.cli.experiment_live import ExperimentView, watching
from crossin.core.errors import CrossinError
from crossin.experiments.jobs import Job
from crossin.experiments.live import LiveRows
from crossin.experiments.scheduling import run_jobs
from crossin.experiments.watching import JobEvent
from tests.helpers.made_up_jobs import run_made_up, two_arms


@pytest.fixture(autouse=True)
def cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSIN_CACHE", str(tmp_path / "cache"))


def arms(**of_first: object) -> dict[str, list[Job]]:
    facts, *rest = two_arms(**of_first)
    return {"first": [facts, *rest[:3]], "second": [facts, *rest[3:]]}


def no_figures() -> LiveRows:
    return LiveRows([], [])


def shown(view: ExperimentView) -> list[list[str]]:
    """The cells of the table, row by row, and the line below it."""
    page = Console(file=io.StringIO(), width=120)
    page.print(view.shown())
    assert isinstance(page.file, io.StringIO)
    return [re.split(r"\s{2,}", line.strip()) for line in page.file.getvalue().splitlines()]


def progress(key: str, done: int, note: str = "") -> JobEvent:
    return JobEvent("progress", key, task="training", done=done, total=200, unit="steps", note=note)


def test_the_table_says_what_each_arm_does(tmp_path: Path) -> None:
    view = ExperimentView(arms(), tmp_path, no_figures, 1)
    assert shown(view)[1:3] == [["first", "0/4", "waiting"], ["second", "0/4", "waiting"]]
    view.note(JobEvent("finished", "facts-key", seconds=1.0))
    view.note(JobEvent("started", "mixture-a-key"))
    view.note(progress("tuned-b-key", 45, "loss 1.2"))
    assert shown(view)[1:] == [
        ["first", "1/4", "started"],
        ["second", "1/4", "training 45/200 steps, loss 1.2"],
        ["1 of 7 jobs finished, time unknown until one has run: compose, train, evaluate"],
    ]


def test_the_table_shows_failures_and_arms_that_are_done(tmp_path: Path) -> None:
    view = ExperimentView(arms(error="too small"), tmp_path, no_figures, 1)
    run_jobs(two_arms(error="too small"), tmp_path, run_made_up, watch=view.note)
    assert shown(view)[1:] == [
        ["first", "2/4", "failed: too small. Hint: a hint"],
        ["second", "4/4", "done"],
        ["5 of 7 jobs finished, 1 failed, 1 skipped, 0:00:00 left"],
    ]


def test_figures_arrive_when_a_job_has_finished(tmp_path: Path) -> None:
    found: list[LiveRows | CrossinError] = [no_figures()]

    def figures() -> LiveRows:
        if isinstance(found[0], CrossinError):
            raise found[0]
        return found[0]

    view = ExperimentView(arms(), tmp_path, figures, 1)
    found[0] = LiveRows(["accuracy"], [("first", [".512"]), ("second", [""])])
    view.note(progress("answers-a-key", 1))
    assert "accuracy" not in shown(view)[0]
    view.note(JobEvent("finished", "answers-a-key"))
    assert shown(view)[0][-1] == "accuracy" and shown(view)[1][-1] == ".512"
    found[0] = CrossinError("cannot be read")
    view.note(JobEvent("finished", "answers-b-key"))
    assert shown(view)[1][-1] == ".512", "an error in the figures does not end the run"


def test_a_log_has_a_line_for_what_finished_and_what_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = arms(error="too small")
    with watching(jobs, tmp_path, label="rank 1: ") as watch:
        run_jobs([one for arm in jobs.values() for one in arm], tmp_path, run_made_up, watch=watch)
    stamp = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d rank 1: "
    lines = [line for line in capsys.readouterr().err.splitlines() if re.match(stamp, line)]
    texts = [re.sub(stamp, "", line) for line in lines]
    assert [text.partition(",")[0] for text in texts if text.startswith("finished")] == [
        *("finished: facts: facts", "finished: compose: mixture-a", "finished: compose: mixture-b"),
        *("finished: train: tuned-b", "finished: evaluate: answers-b"),
    ]
    assert "failed: train: tuned-a: too small. Hint: a hint" in texts
    assert "skipped: evaluate: answers-a: needs 'train: tuned-a', which failed" in texts
    assert texts[-1].endswith("5 of 7 jobs finished, 1 failed, 1 skipped, 0:00:00 left")


def test_a_log_has_lines_on_running_jobs_every_minute(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(experiment_live, "SILENCE", 0.001)
    written, reported = list[str](), Event()

    def log(line: str) -> None:
        written.append(line)
        if len(written) >= 4:
            reported.set()

    monkeypatch.setattr(experiment_live, "log", log)
    with watching(arms(), tmp_path) as watch:
        watch(progress("tuned-a-key", 45, "loss 1.2"))
        # The lines of whoever saw the event, twice at least.
        assert reported.wait(60)
    assert any(line.endswith("train: tuned-a: training 45/200 steps, loss 1.2") for line in written)
    assert any("0 of 7 jobs finished" in line for line in written)


def test_in_a_terminal_the_table_is_drawn_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Console(file=io.StringIO(), force_terminal=True, width=100)
    monkeypatch.setattr(experiment_live, "errors", terminal)
    monkeypatch.setattr(experiment_live, "is_live", lambda: True)
    jobs = arms()
    with watching(jobs, tmp_path) as watch:
        outcome = run_jobs([one for arm in jobs.values() for one in arm], tmp_path, run_made_up, watch=watch)
    assert len(outcome.finished) == 7
    assert isinstance(terminal.file, io.StringIO)
    assert "7 of 7 jobs finished" in terminal.file.getvalue()
