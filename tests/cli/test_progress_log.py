"""Progress in a log file: a line at least every minute, whatever happens, and no flood."""

from __future__ import annotations

import queue
from datetime import datetime, timedelta

import pytest

from crossin.cli import progress_log
from crossin.cli.progress_log import ProgressLog, logged_progress
from crossin.core.progress import phase

BEGIN = datetime(2026, 1, 2, 3, 4, 5)


class Clocked:
    """A log with a clock of its own, which looks at it every second."""

    def __init__(self, label: str = "") -> None:
        self.seconds, self.lines, self.times = 0.0, list[str](), list[float]()
        self.log = ProgressLog(
            self._write,
            label=label,
            clock=lambda: self.seconds,
            now=lambda: BEGIN + timedelta(seconds=self.seconds),
        )

    def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.seconds += 1
            self.log.look()

    def texts(self) -> list[str]:
        return [line[20:] for line in self.lines]

    def _write(self, line: str) -> None:
        self.lines.append(line)
        self.times.append(self.seconds)


def longest_silence(log: Clocked) -> float:
    return max(b - a for a, b in zip([0.0, *log.times], [*log.times, log.seconds], strict=True))


def test_a_long_task_has_a_line_soon_one_every_minute_and_one_at_its_end() -> None:
    log = Clocked()
    for step in range(300):
        log.wait(1)
        log.log.update("training", step + 1, 300, "steps", f"loss {1 / (step + 1):.2f}")
    assert log.lines[0] == (
        "2026-01-02 03:04:16 training: 10 of 300 steps (3%), 1.0 steps/s, 4:50 left, loss 0.10"
    )
    assert log.texts()[-1] == "training: 300 steps in 4:59, 1.0 steps/s, loss 0.00"
    assert longest_silence(log) <= 60
    assert len(log.lines) <= 8


def test_a_short_task_has_one_line() -> None:
    log = Clocked()
    for number in range(5):
        log.log.update("scoring", number, 4, "files")
        log.wait(2)
    assert log.texts() == ["scoring: 4 files in 0:08, 0.5 files/s"]


def test_a_task_that_reports_only_its_end_has_one_line() -> None:
    log = Clocked()
    log.log.update("checking", 7, 7, "rows")
    log.log.update("nothing to check", 0, 0, "rows")
    assert log.texts() == ["checking: 7 rows in 0:00", "nothing to check: 0 rows in 0:00"]


def test_a_phase_of_which_nothing_can_be_counted_says_how_long_it_takes() -> None:
    log = Clocked()
    with phase(log.log.update, "merging", "models"):
        log.wait(100)
    with pytest.raises(ValueError, match="no network"), phase(log.log.update, "downloading", "models"):
        log.wait(3)
        raise ValueError("no network")
    log.wait(20)
    assert log.texts() == [
        "merging: 0:10 so far",
        "merging: 1:00 so far",
        "merging: 1:40",
        "downloading: 0:03, failed",
    ]


def test_one_slow_answer_does_not_silence_the_log() -> None:
    log = Clocked()
    for done in range(3):
        log.wait(1)
        log.log.update("asking big", done, 100, "questions", "2 tokens saved")
    log.wait(300)
    assert longest_silence(log) <= 60
    assert log.texts()[-1].startswith("asking big: 2 of 100 questions (2%), 1.0 questions/s, 1:38 left")
    assert "nothing new for 4:" in log.texts()[-1]
    assert log.texts()[-1].endswith("2 tokens saved")


def test_what_reports_nothing_is_not_silent_either() -> None:
    log = Clocked()
    log.wait(130)
    assert log.texts() == [
        "still at work, 0:50 since the command began",
        "still at work, 1:40 since the command began",
    ]
    log.log.update("reading", 1, 1, "files")
    log.wait(200)
    assert longest_silence(log) <= 60
    assert log.texts()[-1] == "still at work, 5:30 since the command began; before: reading"


def test_a_resumed_task_has_the_rate_of_this_run() -> None:
    log = Clocked()
    for done in range(1000, 1030):
        log.log.update("training", done, 2000, "steps")
        log.wait(2)
    assert "0.5 steps/s" in log.texts()[0]
    assert "33:" in log.texts()[0]


def test_several_tasks_at_once_have_lines_of_their_own() -> None:
    log = Clocked(label="rank 3: ")
    for second in range(100):
        log.log.update("translating into vi", second, 1000, "rows")
        log.log.update("translating into th", second // 2, 1000, "rows")
        log.wait(1)
    log.log.close()
    assert all(text.startswith("rank 3: translating into ") for text in log.texts())
    assert [text.split()[4] for text in log.texts()] == ["vi:", "th:"] * 3
    assert log.texts()[-1].endswith("not finished")


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.4, "0:00"), (59.6, "1:00"), (3599, "59:59"), (90_061, "25:01:01")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert progress_log._span(seconds) == shown


def test_lines_come_without_any_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_log, "_LOOKS", 0.01)
    monkeypatch.setattr(progress_log, "SILENCE", 0.0)
    monkeypatch.setattr(progress_log, "SHORT", 0.0)
    lines = queue.SimpleQueue[str]()
    with logged_progress(lines.put) as progress:
        assert "still at work" in lines.get()
        progress("asking", 1, 2, "questions")
        while "asking: 1 of 2 questions" not in lines.get():
            pass
