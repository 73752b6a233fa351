"""Jobs by several processes that have only the experiment's folder in common, as those of a Slurm array have.

Each rank begins with arms of its own: those of every `world_size`-th last job. A job belongs to whoever locks
its file. What another rank runs now is left to it, and where a rank has nothing else to do that it may not
leave, it waits. Ranks that are done with their own arms take what others have not begun, so that a slow or
lost one leaves nothing behind.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.files import make_folder, read_json, write_json, writing
from crossin.core.locks import is_open, lock
from crossin.experiments.board import Board
from crossin.experiments.execution import RunJob, execute
from crossin.experiments.jobs import Job, with_needs
from crossin.experiments.watching import JobEvent

# Below the experiment's folder: the locks of the jobs, and why jobs failed, which other ranks read.
LOCKS, FAILURES = "locks", "failures"
_WAITING = "waiting for another rank"
# Seconds between two looks at what the other ranks do.
_LOOKS = 1.0


def run_as_rank(board: Board, out: Path, run_job: RunJob, rank: int, world_size: int) -> None:
    """Run this rank's arms, and what is left of the others'. Ends when all of its own jobs are settled, and
    the rest is settled or runs elsewhere.
    """
    own = own_jobs(board.jobs, rank, world_size)
    mine = {job.key for job in own}
    for job in own:
        # Failures of an earlier run: this one tries again.
        with writing(out):
            _failure_file(job, out).unlink(missing_ok=True)
    while True:
        # Its own jobs come first. One at a time, since each may make others ready.
        ready = sorted(board.ready(), key=lambda job: job.key not in mine)
        for job in ready:
            with _lock_of(job, out) as locked:
                if locked:
                    board.settle(_settled(job, out, run_job, board))
                    break
        else:
            if board.full or all(board.is_settled(job) for job in own):
                return
            for job in ready[:1]:
                board.watch(JobEvent("progress", job.key, task=_WAITING, total=1, unit="jobs"))
            time.sleep(_LOOKS)


def own_jobs(jobs: list[Job], rank: int, world_size: int) -> list[Job]:
    """The jobs of a rank: of those that no other needs, every `world_size`-th, and all that they need."""
    needed = {one.key for job in jobs for one in job.needs}
    last = [job for job in jobs if job.key not in needed]
    return with_needs(last[rank::world_size])


def _settled(job: Job, out: Path, run_job: RunJob, board: Board) -> JobEvent:
    """Run a job, unless another rank has seen it fail."""
    file = _failure_file(job, out)
    if file.exists():
        return JobEvent("failed", job.key, **read_json(file))
    event = execute(job, out, run_job, board.watch)
    if event.kind == "failed" and not event.disk_full:
        write_json(file, {"error": event.error, "detail": event.detail})
    return event


@contextmanager
def _lock_of(job: Job, out: Path) -> Iterator[bool]:
    """Hold the lock of a job; yields False where another rank holds it. Its file is removed in the end."""
    file = out / LOCKS / job.folder(out).name
    with writing(file):
        make_folder(file.parent)
        # To be written: network drives lock no other files, and no folders.
        handle = os.open(file, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        locked = lock(handle)
        if locked is None:
            raise CrossinError(
                "this file system has no locks between processes, which ranks need",
                file=out,
                hint="choose a folder on another one with --out, or use --jobs or --engine ray",
            )
        if not locked or not is_open(handle, file):
            yield False
            return
        try:
            yield True
        finally:
            file.unlink(missing_ok=True)
    finally:
        os.close(handle)


def _failure_file(job: Job, out: Path) -> Path:
    return out / FAILURES / f"{job.folder(out).name}.json"
