"""The limits a minute hold in every minute, by a clock that the test sets."""

from __future__ import annotations

import asyncio

import pytest

from crossin.servers.pace import Pace


class Clock:
    """Seconds that pass only while somebody sleeps; who sleeps until earlier wakes earlier."""

    def __init__(self) -> None:
        self.now = 0.0
        self.sleepers: list[tuple[float, int, asyncio.Event]] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        event = asyncio.Event()
        self.sleepers.append((self.now + seconds, len(self.sleepers), event))
        await event.wait()

    async def run(self) -> None:
        """Let time pass, one sleeper after another, once all tasks wait."""
        while True:
            for _ in range(10):
                await asyncio.sleep(0)
            if not self.sleepers:
                return
            self.sleepers.sort(key=lambda sleeper: sleeper[:2])
            self.now, _, event = self.sleepers.pop(0)
            event.set()


def departures(tokens: list[int], *, pause: float = 0, workers: int = 4, **limits: float) -> list[float]:
    """When calls of so many tokens leave, asked for by several workers; the third asks for a pause."""
    clock = Clock()
    pace = Pace(**limits, clock=clock.time, sleep=clock.sleep)
    left: list[float] = []
    waiting = list(reversed(tokens))

    async def worker() -> None:
        while waiting:
            await pace.admit(waiting.pop())
            left.append(clock.now)
            if pause and len(left) == 3:
                pace.pause(pause)

    async def main() -> None:
        await asyncio.gather(clock.run(), *(worker() for _ in range(workers)))

    asyncio.run(main())
    assert len(left) == len(tokens)
    return left


@pytest.mark.parametrize("workers", [1, 4, 50])
@pytest.mark.parametrize("pause", [0, 100])
def test_no_minute_holds_more_requests_than_the_limit(workers: int, pause: float) -> None:
    times = departures([1] * 50, workers=workers, pause=pause, requests_per_minute=12)
    for begin in times:
        assert sum(begin <= time < begin + 59.99 for time in times) <= 12
    if pause:
        # The third asked for it at 10 s; those who had their turn before it wait like the others.
        assert times[3] >= 10 + pause
    # Nor is the limit left unused.
    assert times[-1] <= 49 * 5 + pause + workers * 5


def test_no_minute_holds_more_tokens_than_the_limit() -> None:
    sizes = [5, 400, 30, 30, 300, 1, 1, 250] * 5
    times = departures(sizes, workers=1, tokens_per_minute=600, requests_per_minute=1000)
    for first, begin in enumerate(times):
        minute = [size for time, size in zip(times[first:], sizes[first:], strict=True) if time < begin + 60]
        # A call counts whole in the minute that it begins in.
        assert sum(minute[:-1]) <= 600


def test_after_a_pause_nobody_leaves_before_its_end() -> None:
    times = departures([1] * 10, pause=77)
    assert times[:3] == [0, 0, 0]
    assert min(times[4:]) >= 77


def test_without_limits_nobody_waits() -> None:
    assert departures([9] * 20) == [0.0] * 20


def test_tokens_beyond_what_was_foreseen_are_made_up_for() -> None:
    clock = Clock()
    pace = Pace(tokens_per_minute=60, clock=clock.time, sleep=clock.sleep)

    async def main() -> float:
        await pace.admit(10)
        pace.correct(20)
        pace.correct(-5)
        waited, _ = await asyncio.gather(pace.admit(1), clock.run())
        return waited

    assert asyncio.run(main()) == 30
