"""Run one job of an experiment, wherever that is: what became of it is an event."""

from __future__ import annotations

import errno
import os
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.formats import CLAIM, MANIFEST
from crossin.core.locks import lock
from crossin.core.progress import Progress
from crossin.core.stages import FolderInUse, Stage
from crossin.experiments.jobs import Job
from crossin.experiments.watching import JobEvent, Watch, progress_events

# Runs a job in the experiment's folder, or resumes it, or finds it finished.
RunJob = Callable[[Job, Path, Progress], Stage]
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}


def is_finished(job: Job, out: Path) -> bool:
    """Whether a job's result is there."""
    return (job.folder(out) / MANIFEST).exists()


def execute(job: Job, out: Path, run_job: RunJob, watch: Watch) -> JobEvent:
    """Run a job; the event says that it finished, or how it failed. `watch` gets those before it.

    Where another process works in the job's folder, as one whose parent was killed may, it is waited for.
    """
    watch(JobEvent("started", job.key))
    whole = not is_finished(job, out) and not (job.folder(out) / CLAIM).exists()
    begin = time.monotonic()
    progress = progress_events(job.key, watch)
    try:
        while True:
            try:
                done = run_job(job, out, progress).done
                break
            except FolderInUse as used:
                whole = False
                progress("waiting for another process", 0, 1, "jobs")
                _wait_until_free(used.folder)
        if not done:
            raise CrossinError("the job ended without a result", file=job.folder(out))
    except Exception as error:
        return _failed(job, error)
    return JobEvent("finished", job.key, seconds=time.monotonic() - begin, whole=whole)


def _failed(job: Job, error: Exception) -> JobEvent:
    text, detail = f"{type(error).__name__}: {error}", traceback.format_exc()
    full = _is_disk_full(error)
    if isinstance(error, CrossinError):
        # Of a full disk, the whole run's error says what to do.
        text = str(CrossinError(error.message, file=error.file) if full else error)
        detail = ""
    return JobEvent("failed", job.key, error=text, detail=detail, disk_full=full)


def _wait_until_free(folder: Path) -> None:
    # Gone: the other process has released it.
    with suppress(FileNotFoundError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            lock(handle, shared=True, wait=True)
        finally:
            os.close(handle)


def _is_disk_full(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, OSError) and error.errno in _DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
