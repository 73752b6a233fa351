"""Which jobs of an experiment are waiting, running, finished, failed or skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from crossin.core.errors import CrossinError
from crossin.experiments.jobs import Job, with_needs
from crossin.experiments.watching import JobEvent, Watch


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed. `detail` is the traceback of an error that is not about the input."""

    error: str
    detail: str = ""


@dataclass(frozen=True)
class JobsOutcome:
    """What became of the jobs, by key, each in the order of the jobs.

    skipped: those that need a failed one, with the key of the first that failed. left: those that other ranks
    run now, or will.
    """

    finished: tuple[str, ...]
    failed: dict[str, JobFailure]
    skipped: dict[str, str]
    left: tuple[str, ...] = ()

    def first_failure(self, key: str) -> JobFailure | None:
        """Why there is no result of a job: its own failure, or that of what it needs; None where there is
        another reason, or a result.
        """
        return self.failed.get(self.skipped.get(key, key))


@dataclass
class Board:
    """The jobs and their states. Whoever runs jobs takes them from here, and notes the results here."""

    jobs: list[Job]
    watch: Watch
    finished: set[str] = field(default_factory=set)
    failed: dict[str, JobFailure] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    running: dict[str, Job] = field(default_factory=dict)
    full: str = ""

    @classmethod
    def of(cls, jobs: Iterable[Job], watch: Watch) -> Board:
        """A board of the jobs and all that they need."""
        return cls(with_needs(jobs), watch)

    def is_settled(self, job: Job) -> bool:
        """Whether nothing more is to be done for a job."""
        return job.key in self.finished or job.key in self.failed or job.key in self.skipped

    def ready(self) -> list[Job]:
        """The jobs that could start now, in their order; none where the disk is full."""
        return [
            job
            for job in self.jobs
            if not self.full
            and not self.is_settled(job)
            and job.key not in self.running
            and all(needed.key in self.finished for needed in job.needs)
        ]

    def take(self, wanted: Callable[[Job], bool] = lambda _: True) -> Job | None:
        """The first of the jobs that can start, which is then running."""
        job = next(filter(wanted, self.ready()), None)
        if job is not None:
            self.running[job.key] = job
        return job

    def settle(self, event: JobEvent) -> None:
        """Note that a job has finished or failed; what needs a failed one is skipped."""
        self.running.pop(event.key, None)
        self.watch(event)
        if event.kind == "finished":
            self.finished.add(event.key)
            return
        self.failed[event.key] = JobFailure(event.error, event.detail)
        if event.disk_full:
            title = next(job.title for job in self.jobs if job.key == event.key)
            self.full = self.full or f"{title}: {event.error}"
        for job in self.jobs:
            if not self.is_settled(job):
                first = self._first_failed(job)
                if first is not None:
                    self.skipped[job.key] = first.key
                    self.watch(JobEvent("skipped", job.key, error=f"needs '{first.title}', which failed"))

    def outcome(self) -> JobsOutcome:
        """What became of the jobs. Raises CrossinError where the disk was full."""
        if self.full:
            raise CrossinError(
                self.full, hint="free some space on that disk; then the same command resumes from here"
            )
        keys = [job.key for job in self.jobs]
        return JobsOutcome(
            tuple(key for key in keys if key in self.finished),
            {key: self.failed[key] for key in keys if key in self.failed},
            {key: self.skipped[key] for key in keys if key in self.skipped},
            tuple(job.key for job in self.jobs if not self.is_settled(job)),
        )

    def _first_failed(self, job: Job) -> Job | None:
        """The failed job because of which a job cannot run."""
        for needed in with_needs([job])[:-1]:
            if needed.key in self.failed:
                return needed
        return None
