"""Progress without a terminal, as in the log of a batch job: a line at least every minute, and few more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Lock, Thread

from crossin.core.progress import Progress

# Seconds without a line at most, and how long a task takes at least to have more than one.
SILENCE = 50.0
SHORT = 10.0
# Seconds between two looks at the clock.
_LOOKS = 1.0


@dataclass
class _Task:
    """A task under way: `first` is what was done when it began, and `news` when something was done last."""

    began: float
    first: int
    done: int
    total: int
    unit: str
    note: str
    news: float
    written: float | None = None


class ProgressLog:
    """Turns reports of progress into lines, which it passes to `write`.

    A task that ends within seconds has one line, at its end. A longer one has a line after those seconds,
    then one at least every minute, whether or not anything is done, and one at its end. While no task is
    open, a line says so as often. `clock` gives seconds, `now` the time of day.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        label: str = "",
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._write, self._label, self._clock, self._now = write, label, clock, now
        self._lock = Lock()
        self._tasks: dict[str, _Task] = {}
        self._begun = self._last = clock()
        self._ended = ""

    def update(self, task: str, done: int, total: int, unit: str, note: str = "") -> None:
        """Progress as in `crossin.core.progress.Progress`."""
        with self._lock:
            moment = self._clock()
            known = self._tasks.get(task)
            if known is None:
                known = self._tasks[task] = _Task(moment, done, done, total, unit, note, moment)
            if done != known.done:
                known.news = moment
            known.done, known.total, known.unit, known.note = done, total, unit, note
            if done >= total:
                del self._tasks[task]
                self._ended = task
                self._line(_end(task, known, moment))
            else:
                self._look(task, known, moment)

    def look(self) -> None:
        """Write the lines that are due; called every second."""
        with self._lock:
            moment = self._clock()
            for task, known in list(self._tasks.items()):
                self._look(task, known, moment)
            if not self._tasks and moment - self._last >= SILENCE:
                after = f"; before: {self._ended}" if self._ended else ""
                self._line(f"still at work, {_span(moment - self._begun)} since the command began{after}")

    def close(self) -> None:
        """Write where the tasks stand that did not end."""
        with self._lock:
            moment = self._clock()
            for task, known in self._tasks.items():
                self._line(f"{_state(task, known, moment)}, not finished")
            self._tasks = {}

    def _look(self, task: str, known: _Task, moment: float) -> None:
        due = known.began + SHORT if known.written is None else known.written + SILENCE
        if moment >= due:
            known.written = moment
            self._line(_state(task, known, moment))

    def _line(self, text: str) -> None:
        self._last = self._clock()
        self._write(f"{self._now():%Y-%m-%d %H:%M:%S} {self._label}{text}")


@contextmanager
def logged_progress(write: Callable[[str], None], label: str = "") -> Iterator[Progress]:
    """A progress callback that writes lines, as `ProgressLog` does; `label` begins each."""
    log, ended = ProgressLog(write, label=label), Event()

    def watch() -> None:
        while not ended.wait(_LOOKS):
            log.look()

    watcher = Thread(target=watch, name="crossin-progress", daemon=True)
    watcher.start()
    try:
        yield log.update
    finally:
        ended.set()
        watcher.join()
        log.close()


def _state(task: str, known: _Task, moment: float) -> str:
    if known.total == 1:
        return ", ".join([f"{task}: {_span(moment - known.began)} so far", *filter(None, [known.note])])
    share = f" ({known.done / known.total:.0%})" if known.total else ""
    parts = [f"{task}: {known.done:,} of {known.total:,} {known.unit}{share}"]
    elapsed, done = known.news - known.began, known.done - known.first
    # Reports that come at once, as those of several processes may, have no rate.
    if elapsed >= 1 and done > 0:
        parts.append(_rate(done / elapsed, known.unit))
        parts.append(f"{_span((known.total - known.done) * elapsed / done)} left")
    if moment - known.news >= SHORT:
        parts.append(f"nothing new for {_span(moment - known.news)}")
    return ", ".join([*parts, *filter(None, [known.note])])


def _end(task: str, known: _Task, moment: float) -> str:
    elapsed, done = moment - known.began, known.done - known.first
    rate = f", {_rate(done / elapsed, known.unit)}" if elapsed >= 1 and done > 1 else ""
    note = f", {known.note}" if known.note else ""
    count = f"{known.total:,} {known.unit} in " if known.total != 1 else ""
    return f"{task}: {count}{_span(elapsed)}{rate}{note}"


def _rate(rate: float, unit: str) -> str:
    return f"{rate:,.1f} {unit}/s" if rate >= 0.1 else f"{rate * 60:,.1f} {unit}/min"


def _span(seconds: float) -> str:
    """A duration as minutes and seconds, or with hours."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
