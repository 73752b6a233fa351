"""Answers put into the store by a thread of their own, as they come: those that come during one write go
together into the next, so that little is lost by a kill, and nobody waits for the disk.
"""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

from crossin.core.cache import Store

_MOST = 500


class Keeper:
    """Keeps pairs of key and JSON value in the store `path`. Every method raises CrossinError where that
    could not be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: SimpleQueue[tuple[str, Any] | Event | None] = SimpleQueue()
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._keep, name="crossin-keeper", daemon=True)
        self._thread.start()

    def __enter__(self) -> Keeper:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, key: str, value: Any) -> None:
        """Have a value kept soon: a few milliseconds later it is on the disk."""
        if self._failure is not None:
            raise self._failure
        self._waiting.put((key, value))

    def flush(self) -> None:
        """Wait until all that was put is on the disk."""
        written = Event()
        self._waiting.put(written)
        while not written.wait(0.1):
            if self._failure is not None:
                raise self._failure

    def close(self) -> None:
        """Wait until all is on the disk."""
        if self._thread.is_alive():
            self._waiting.put(None)
            self._thread.join()
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _keep(self) -> None:
        try:
            with Store(self._path) as store:
                while True:
                    taken = [self._waiting.get()]
                    while len(taken) < _MOST and not self._waiting.empty():
                        taken.append(self._waiting.get())
                    if pairs := dict(one for one in taken if isinstance(one, tuple)):
                        store.put(pairs)
                    for one in taken:
                        if isinstance(one, Event):
                            one.set()
                    if None in taken:
                        return
        except BaseException as failure:
            self._failure = failure
