"""An experiment while it runs: a live table in a terminal, lines in a log."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Event, RLock, Thread
from typing import TYPE_CHECKING

from crossin.cli.console import errors, excerpt, is_live, log
from crossin.cli.progress_log import SILENCE
from crossin.core.errors import CrossinError
from crossin.experiments.estimates import hours
from crossin.experiments.jobs import Job, with_needs
from crossin.experiments.live import LiveRows
from crossin.experiments.remaining import TimeLeft
from crossin.experiments.watching import JobEvent, Watch

if TYPE_CHECKING:
    from rich.console import Group

Figures = Callable[[], LiveRows]
# Characters that say what an arm does.
_WIDEST = 60
_NO_FIGURES = LiveRows([], [])


@contextmanager
def watching(
    arms: Mapping[str, Sequence[Job]],
    out: Path,
    figures: Figures = lambda: _NO_FIGURES,
    *,
    at_once: int = 1,
    label: str = "",
) -> Iterator[Watch]:
    """What `run_jobs` is to be watched by: in a terminal it is a table of the arms, with what each does and
    its figures so far; else lines, one at least every minute while something runs.

    arms: by name, the jobs of an arm. figures: called when a job has finished. label: begins each line.
    """
    view = ExperimentView(arms, out, figures, at_once)
    if is_live():
        from rich.live import Live

        with Live(console=errors, transient=True, get_renderable=view.shown):
            yield view.note
        return

    def write(text: str) -> None:
        log(f"{datetime.now():%Y-%m-%d %H:%M:%S} {label}{text}")

    def note(event: JobEvent) -> None:
        view.note(event)
        for line in view.lines_on(event):
            write(line)

    ended = Event()

    def remind() -> None:
        while not ended.wait(SILENCE):
            for line in view.lines():
                write(line)

    reminder = Thread(target=remind, name="crossin-experiment", daemon=True)
    reminder.start()
    try:
        yield note
    finally:
        ended.set()
        reminder.join()


class ExperimentView:
    """What is known of the arms' jobs: as a table, or as lines."""

    def __init__(self, arms: Mapping[str, Sequence[Job]], out: Path, figures: Figures, at_once: int) -> None:
        self._arms = {name: with_needs(jobs) for name, jobs in arms.items()}
        self._jobs = with_needs(job for jobs in arms.values() for job in jobs)
        self._titles = {job.key: job.title for job in self._jobs}
        self._left = TimeLeft(self._jobs, out, at_once)
        self._figures, self._rows = figures, figures()
        # The table is drawn in a thread.
        self._lock = RLock()
        self._states: dict[str, JobEvent] = {}

    def note(self, event: JobEvent) -> None:
        """Take an event into account."""
        rows = None
        if event.kind == "finished":
            # Where answers cannot be read, the run's own error says so in the end.
            with suppress(CrossinError):
                rows = self._figures()
        with self._lock:
            self._states[event.key] = event
            self._left.note(event)
            self._rows = rows or self._rows

    def shown(self) -> Group:
        """A table of the arms: what each does now, and its figures so far. Below it the time left."""
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            table = Table("arm", "jobs", "now", *self._rows.heads, box=None)
            cells = dict(self._rows.rows)
            for name, jobs in self._arms.items():
                done = sum(self._kind(job) == "finished" for job in jobs)
                row = [name, f"{done}/{len(jobs)}", excerpt(self._now(jobs), _WIDEST), *cells.get(name, [])]
                table.add_row(*map(Text, row))
            return Group(table, Text(self.summary()))

    def lines(self) -> list[str]:
        """A line for each running job, and one on all."""
        with self._lock:
            running = [key for key, event in self._states.items() if event.kind in ("started", "progress")]
            return [*(f"{self._titles[key]}: {_state(self._states[key])}" for key in running), self.summary()]

    def lines_on(self, event: JobEvent) -> list[str]:
        """The lines on an event: that a job has finished, failed, or is skipped."""
        title = self._titles[event.key]
        if event.kind == "finished":
            return [f"finished: {title}, in {hours(event.seconds)}; {self.summary()}"]
        if event.kind in ("failed", "skipped"):
            return [f"{event.kind}: {title}: {event.error}"]
        return []

    def summary(self) -> str:
        """How many jobs are finished, and the time left."""
        with self._lock:
            kinds = [self._kind(job) for job in self._jobs]
            seconds, unknown = self._left.seconds()
        parts = [f"{kinds.count('finished')} of {len(kinds)} jobs finished"]
        parts += [f"{kinds.count(kind)} {kind}" for kind in ("failed", "skipped") if kind in kinds]
        if seconds or not unknown:
            parts.append(f"{'at least ' if unknown else ''}{hours(seconds)} left")
        if unknown:
            parts.append(f"time unknown until one has run: {', '.join(unknown)}")
        return ", ".join(parts)

    def _kind(self, job: Job) -> str:
        return self._states[job.key].kind if job.key in self._states else ""

    def _now(self, jobs: Sequence[Job]) -> str:
        """What an arm does."""
        states = [self._states[job.key] for job in jobs if job.key in self._states]
        for kind in ("failed", "progress", "started"):
            for event in states:
                if event.kind == kind:
                    return _state(event)
        return "done" if [event.kind for event in states] == ["finished"] * len(jobs) else "waiting"


def _state(event: JobEvent) -> str:
    if event.kind == "failed":
        return f"failed: {event.error}"
    if event.kind != "progress":
        return event.kind
    count = f" {event.done:,}/{event.total:,} {event.unit}" if event.total > 1 else ""
    return f"{event.task}{count}{f', {event.note}' if event.note else ''}"
