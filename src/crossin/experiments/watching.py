"""What happens to the jobs of an experiment, as events: for live tables, logs and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from crossin.core.progress import Progress

# Seconds between two reports of one task that come from another process.
_OFTEN = 0.2


@dataclass(frozen=True)
class JobEvent:
    """Something that happened to the job `key`.

    progress: `task`, `done`, `total`, `unit` and `note` are as in `core.progress`. finished: `seconds` is how
    long it took, and `whole` says that this is all it takes: neither found finished, nor resumed. failed:
    `error` is the error's text, `detail` the traceback where the error is not about the input, and
    `disk_full` says that no other job could go on either. skipped: `error` says why.
    """

    kind: Literal["started", "progress", "finished", "failed", "skipped"]
    key: str
    seconds: float = 0.0
    whole: bool = False
    task: str = ""
    done: int = 0
    total: int = 0
    unit: str = ""
    note: str = ""
    error: str = ""
    detail: str = ""
    disk_full: bool = False


Watch = Callable[[JobEvent], None]


def unwatched(event: JobEvent) -> None:
    """Watch nothing: the default of the Python API."""


def progress_events(key: str, watch: Watch) -> Progress:
    """A progress callback that makes events: the first and the last of each task, and few between them."""
    last: dict[str, float] = {}

    def report(task: str, done: int, total: int, unit: str, note: str = "") -> None:
        moment = time.monotonic()
        if done >= total:
            last.pop(task, None)
        elif task in last and moment - last[task] < _OFTEN:
            return
        else:
            last[task] = moment
        watch(JobEvent("progress", key, task=task, done=done, total=total, unit=unit, note=note))

    return report
