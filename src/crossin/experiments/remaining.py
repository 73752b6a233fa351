"""The time that an experiment still takes, from what its finished jobs took."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from crossin.experiments.estimates import estimates_of, span
from crossin.experiments.jobs import Job
from crossin.experiments.watching import JobEvent


@dataclass
class _Running:
    """A job under way: when it began, and where its current task stands."""

    began: float
    task: str = ""
    task_began: float = 0.0
    first: int = 0
    done: int = 0
    total: int = 0


@dataclass
class TimeLeft:
    """Follows the events of jobs, of which `at_once` run at a time. `clock` gives seconds."""

    jobs: Sequence[Job]
    out: Path
    at_once: int = 1
    clock: Callable[[], float] = time.monotonic
    _running: dict[str, _Running] = field(default_factory=dict)
    _seconds: dict[str, float | None] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._estimate()

    def note(self, event: JobEvent) -> None:
        """Take an event into account."""
        moment = self.clock()
        if event.kind == "started":
            self._running[event.key] = _Running(moment)
        elif event.kind == "progress" and (job := self._running.get(event.key)):
            if job.task != event.task:
                job.task, job.task_began, job.first = event.task, moment, event.done
            job.done, job.total = event.done, event.total
        elif event.kind in ("finished", "failed", "skipped"):
            self._running.pop(event.key, None)
            self._settled.add(event.key)
            if event.kind == "finished":
                self._estimate()

    def seconds(self) -> tuple[float, list[str]]:
        """The seconds left, and the stages that take more than that: of which nothing is known yet."""
        moment = self.clock()
        left: dict[str, float] = {}
        unknown: dict[str, None] = {}
        for job in self.jobs:
            if job.key in self._seconds and job.key not in self._settled:
                seconds = self._seconds[job.key]
                if running := self._running.get(job.key):
                    seconds = _left_of(running, seconds, moment)
                if seconds is None:
                    unknown[job.stage] = None
                left[job.key] = seconds or 0.0
        return span(left, self.jobs, self.at_once), list(unknown)

    def _estimate(self) -> None:
        found = estimates_of(self.jobs, self.out, at_once=self.at_once)
        self._seconds = {one.job.key: one.seconds for one in found}


def _left_of(job: _Running, seconds: float | None, moment: float) -> float | None:
    """What is left of a running job: of what like jobs took, or else of its task."""
    if seconds is not None and moment - job.began < seconds:
        return seconds - (moment - job.began)
    if job.total > 1 and job.done > job.first:
        return (moment - job.task_began) / (job.done - job.first) * (job.total - job.done)
    return None if seconds is None else 0.0
