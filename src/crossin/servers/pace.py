"""When the next call may leave, so that a server's limits a minute are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic


class Pace:
    """Spaces calls evenly: behind each comes the time that it takes up of a minute's requests and tokens.

    So no minute holds more than the limits, whatever the concurrency. Used by the tasks of one event loop.
    """

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        *,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._seconds_per_request = 60 / requests_per_minute if requests_per_minute else 0.0
        self._seconds_per_token = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._clock, self._sleep = clock, sleep
        self._free = self._resume = clock()

    async def admit(self, tokens: int) -> float:
        """Wait until a call of about `tokens` tokens may leave; returns the seconds waited."""
        begin = self._clock()
        while True:
            start = max(self._clock(), self._free)
            self._free = start + max(self._seconds_per_request, tokens * self._seconds_per_token)
            while (wait := start - self._clock()) > 0:
                await self._sleep(wait)
            # The server may have asked for a pause in the meantime: then it is the turn of nobody.
            if self._resume <= self._clock():
                return self._clock() - begin

    def pause(self, seconds: float) -> None:
        """Let no call leave for so long, as a server may ask."""
        self._resume = max(self._resume, self._clock() + seconds)
        self._free = max(self._free, self._resume)

    def correct(self, tokens: int) -> None:
        """Take up the time of tokens that a call used beyond what was foreseen."""
        self._free += max(0, tokens) * self._seconds_per_token
