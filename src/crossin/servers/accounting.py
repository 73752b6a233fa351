"""What the requests of a run share: one budget, one rate limit, and one count of what was used."""

from __future__ import annotations

import asyncio
import sqlite3
import time
import weakref
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Lock
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import writing
from crossin.servers.requests import Usage, tokens_used
from crossin.servers.settings import ServerSettings

_TIMEOUT_SECONDS = 60
_COUNTS = ("requests", "retries", "prompt_tokens", "completion_tokens", "uncounted")
# free, paused: when the next request may be sent, by the limits and by the server's wish (seconds since the
# epoch). reserved: what requests in flight are expected to cost.
_CREATE = f"""
CREATE TABLE IF NOT EXISTS run (free REAL, paused REAL, reserved REAL, {", ".join(_COUNTS)});
INSERT INTO run SELECT 0, 0, 0, 0, 0, 0, 0, 0 WHERE NOT EXISTS (SELECT * FROM run);
CREATE TABLE IF NOT EXISTS identity (id TEXT);
INSERT INTO identity SELECT hex(randomblob(8)) WHERE NOT EXISTS (SELECT * FROM identity);
"""
_SPENT = "(prompt_tokens * :price_in + completion_tokens * :price_out) / 1e6 + reserved + :cost"
_ADMIT = f"""
UPDATE run SET free = max(free, :due) + :seconds, reserved = reserved + :cost
WHERE max(free, paused) <= :now AND (:cost = 0 OR {_SPENT} <= :budget) RETURNING 1
"""
_STATE = f"SELECT max(free, paused), {_SPENT} FROM run"
_SETTLE = """
UPDATE run SET requests = requests + :answered, prompt_tokens = prompt_tokens + :prompt,
completion_tokens = completion_tokens + :completion, uncounted = uncounted + :uncounted,
free = free + :seconds, reserved = max(0, reserved - :cost)
"""


class BudgetSpent(CrossinError):
    """The money that a run may cost is spent."""


class Accounting:
    """The rate limit, the budget and the usage of a run, shared by all processes that name the same `path`.

    The file is a small SQLite database; without a path they are this process's own. Requests are spaced
    evenly: each takes its part of a minute's requests and tokens, so that no minute holds more than the
    limits. A request that is dropped or killed in flight is counted as paid for, as expected. One transaction
    takes some 80 microseconds on a local disk; a killed process loses nothing.
    """

    def __init__(
        self,
        settings: ServerSettings,
        path: Path | None = None,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.settings, self.path = settings, path
        self._clock, self._sleep = clock, sleep
        self._seconds_per_token = 60 / settings.tokens_per_minute if settings.tokens_per_minute else 0.0
        self._money = {
            "price_in": settings.price_in or 0.0,
            "price_out": settings.price_out or 0.0,
            "budget": float("inf") if settings.budget is None else settings.budget,
        }
        self._lock = Lock()
        try:
            if path is not None:
                with writing(path):
                    path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(
                path or ":memory:", timeout=_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
            )
            weakref.finalize(self, self._file.close)
            # A kill loses nothing; a power cut may lose the last seconds, which is acceptable here.
            self._file.execute("PRAGMA synchronous = OFF")
            self._file.executescript(f"BEGIN IMMEDIATE; {_CREATE} COMMIT;")
        except sqlite3.Error as error:
            raise self._explained(error) from error

    async def admit(self, tokens: int, cost: float = 0.0) -> None:
        """Wait until the rate limit lets a request of about `tokens` tokens be sent, and reserve its cost.

        Raises BudgetSpent where it and the requests in flight are likely to cost more than is left.
        """
        seconds = self.settings.seconds(tokens)
        due = self._clock()
        while True:
            # One that wakes a little late starts from when it was due, so that the limit is used in full.
            values = {"due": due, "now": self._clock(), "seconds": seconds, "cost": cost, **self._money}
            if self._run(_ADMIT, values):
                return
            [(free, spent)] = self._run(_STATE, values)
            if cost and spent > self._money["budget"]:
                raise BudgetSpent(
                    f"the budget of {self.settings.budget:g} is spent",
                    hint="run again with a larger --budget: finished answers are cached, and not paid again",
                )
            due = max(free, due)
            await self._sleep(max(0.0, free - self._clock()))

    def settle(
        self, answer: dict[str, Any] | None, tokens: int, cost: float = 0.0, billed: int | None = None
    ) -> None:
        """Count an answer (None: the attempt failed), and release the cost that was reserved.

        tokens: as in `admit`. Those that the request used beyond them count for the rate limit too. billed:
        what an answer counts where it does not say.
        """
        used = None if answer is None else tokens_used(answer)
        if answer is not None and used is None and billed is not None:
            used = billed, 0
        prompt, completion = used or (0, 0)
        values = {
            "answered": int(answer is not None),
            "prompt": prompt,
            "completion": completion,
            "uncounted": int(answer is not None and used is None),
            "seconds": max(0, prompt + completion - tokens) * self._seconds_per_token,
            "cost": cost,
        }
        self._run(_SETTLE, values)

    def retry(self, pause: float = 0.0) -> None:
        """Count a repeated attempt, and let no request be sent for `pause` seconds, as a server may ask."""
        until = self._clock() + pause if pause else 0.0
        self._run("UPDATE run SET retries = retries + 1, paused = max(paused, ?)", (until,))

    @property
    def run_id(self) -> str:
        """A random name of the run, the same in all its processes, also after it was stopped and resumed."""
        [(found,)] = self._run("SELECT id FROM identity", ())
        return str(found)

    @property
    def usage(self) -> Usage:
        """What the run has used so far, in all its processes, also before it was stopped and resumed."""
        [counts] = self._run(f"SELECT {', '.join(_COUNTS)} FROM run", ())
        usage = dict(zip(_COUNTS, counts, strict=True))
        return Usage(**usage, cost=self.settings.cost(usage["prompt_tokens"], usage["completion_tokens"]))

    def _run(self, statement: str, values: Any) -> list[Any]:
        try:
            with self._lock:
                return self._file.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _explained(self, error: sqlite3.Error) -> CrossinError:
        return CrossinError(
            f"cannot keep count of the requests: {error}",
            file=self.path,
            hint="check that the disk has space and that you may write there; or remove the file",
        )
