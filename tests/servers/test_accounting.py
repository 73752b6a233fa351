"""Limits a minute hold in every minute, by a clock that the test sets; budget and limits hold for all
processes that share a file.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from crossin.core.stages import stage
from crossin.servers import Accounting, BudgetSpent, Refused, Server, ServerRequest, ServerSettings
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, answering, completion, response

URL = "http://localhost/v1"


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


def departures(
    tokens: list[int],
    *,
    pause: float = 0,
    workers: int = 4,
    paths: tuple[Path | None, ...] = (None,),
    **limits: float,
) -> list[float]:
    """When requests of so many tokens are sent, by several workers; the third asks for a pause. Workers take
    turns in using the accounting files.
    """
    clock = Clock()
    settings = ServerSettings(base_url=URL, **limits)  # type: ignore[arg-type]
    shared = [Accounting(settings, path, clock=clock.time, sleep=clock.sleep) for path in paths]
    left: list[float] = []
    waiting = list(reversed(tokens))

    async def worker(accounting: Accounting) -> None:
        while waiting:
            await accounting.admit(waiting.pop())
            left.append(clock.now)
            if pause and len(left) == 3:
                accounting.retry(pause)

    async def main() -> None:
        every = (worker(shared[number % len(shared)]) for number in range(workers))
        await asyncio.gather(clock.run(), *every)

    asyncio.run(main())
    assert len(left) == len(tokens)
    return left


@pytest.mark.parametrize("workers", [1, 4, 50])
@pytest.mark.parametrize("pause", [0, 100])
@pytest.mark.parametrize("processes", [0, 3])
def test_no_minute_holds_more_requests_than_the_limit(
    workers: int, pause: float, processes: int, tmp_path: Path
) -> None:
    paths = (tmp_path / "usage.sqlite",) * processes or (None,)
    times = departures([1] * 50, workers=workers, pause=pause, paths=paths, requests_per_minute=12)
    for begin in times:
        assert sum(begin <= time < begin + 59.99 for time in times) <= 12
    if pause:
        # The third asked for it at 10 s; those who wait already wait longer.
        assert times[3] >= 10 + pause
    # Nor is the limit left unused.
    assert times[-1] <= 49 * 5 + pause


def test_no_minute_holds_more_tokens_than_the_limit() -> None:
    sizes = [5, 400, 30, 30, 300, 1, 1, 250] * 5
    times = departures(sizes, workers=1, tokens_per_minute=600, requests_per_minute=1000)
    for first, begin in enumerate(times):
        minute = [size for time, size in zip(times[first:], sizes[first:], strict=True) if time < begin + 60]
        # A request counts whole in the minute that it begins in.
        assert sum(minute[:-1]) <= 600


def test_after_a_pause_nobody_leaves_before_its_end() -> None:
    times = departures([1] * 10, pause=77)
    assert times[:3] == [0, 0, 0]
    assert min(times[4:]) >= 77


def test_without_limits_nobody_waits() -> None:
    assert departures([9] * 20) == [0.0] * 20


def test_one_that_wakes_late_takes_no_time_from_those_behind_it() -> None:
    now = [0.0]
    settings = ServerSettings(base_url=URL, requests_per_minute=60)

    async def oversleep(seconds: float) -> None:
        now[0] += seconds + 0.1

    async def main() -> None:
        accounting = Accounting(settings, clock=lambda: now[0], sleep=oversleep)
        for _ in range(101):
            await accounting.admit(1)

    asyncio.run(main())
    assert now[0] == pytest.approx(100, abs=0.2)


def test_tokens_beyond_what_was_expected_are_made_up_for() -> None:
    clock = Clock()
    settings = ServerSettings(base_url=URL, tokens_per_minute=60)
    accounting = Accounting(settings, clock=clock.time, sleep=clock.sleep)

    def answer(tokens: int) -> dict[str, Any]:
        return {"usage": {"prompt_tokens": tokens, "completion_tokens": 0}}

    async def main() -> None:
        await accounting.admit(10)
        accounting.settle(answer(30), 10)
        accounting.settle(answer(5), 10)
        accounting.settle({}, 10)
        await asyncio.gather(accounting.admit(1), clock.run())

    asyncio.run(main())
    assert clock.now == 30
    assert (accounting.usage.requests, accounting.usage.uncounted) == (3, 1)


WORKER = """
import asyncio, sys
from pathlib import Path
from crossin.servers import BudgetSpent, Server, ServerRequest, ServerSettings

settings = ServerSettings(base_url=sys.argv[1], price_in=1e6, price_out=1e6, budget=180, concurrency=4)

async def main():
    async with Server(settings, Path(sys.argv[2])) as server:
        requests = [ServerRequest("completions", {}, prompt_tokens=7, completion_tokens=2)] * 40
        done = await asyncio.gather(*map(server.request, requests), return_exceptions=True)
        assert all(isinstance(one, dict | BudgetSpent) for one in done), done

asyncio.run(main())
"""


async def fine(_: Asked) -> bytes:
    return completion()


def test_processes_share_one_budget_and_one_count(tmp_path: Path) -> None:
    path = tmp_path / "run" / "usage.sqlite"
    with answering(fine) as log:
        workers = [
            subprocess.Popen([sys.executable, "-c", WORKER, log.base_url, str(path)]) for _ in range(2)
        ]
        assert [worker.wait(60) for worker in workers] == [0, 0]
    # Each request costs 9: the budget pays for 20.
    assert len(log.asked) == 20
    usage = Accounting(ServerSettings(base_url=URL, price_in=1e6, price_out=1e6), path).usage
    assert (usage.requests, usage.prompt_tokens, usage.cost) == (20, 140, 180)


def test_a_killed_process_leaves_its_count_and_what_was_in_flight_as_paid(tmp_path: Path) -> None:
    async def hang_at_last(_: Asked) -> bytes:
        if len(log.asked) > 10:
            await asyncio.sleep(60)
        return completion()

    path = tmp_path / "usage.sqlite"
    with answering(hang_at_last) as log:
        worker = subprocess.Popen([sys.executable, "-c", WORKER, log.base_url, str(path)])
        # Ten are answered, four in flight.
        while len(log.asked) < 14:
            time.sleep(0.01)
        worker.kill()
        worker.wait()
    settings = ServerSettings(base_url=URL, price_in=1e6, price_out=1e6, budget=14 * 9 + 5)
    accounting = Accounting(settings, path)
    assert accounting.usage.requests == 10
    with pytest.raises(BudgetSpent):
        asyncio.run(accounting.admit(1, 6))
    asyncio.run(accounting.admit(1, 5))


def test_a_request_that_fails_frees_what_it_was_to_cost() -> None:
    async def refuse(asked: Asked) -> bytes:
        return response(400, {}) if asked.body["prompt"] == "bad" else completion()

    async def ask(url: str) -> None:
        settings = ServerSettings(base_url=url, price_in=1e6, price_out=1e6, budget=9)
        async with Server(settings) as server:
            for prompt in ("bad", "good"):
                try:
                    await server.request(ServerRequest("completions", {"prompt": prompt}, prompt_tokens=9))
                except Refused:
                    assert prompt == "bad"

    with answering(refuse) as log:
        asyncio.run(ask(log.base_url))


def test_a_request_that_hangs_keeps_its_own_cost_and_place_and_no_more() -> None:
    go_on = threading.Event()

    async def hang(asked: Asked) -> bytes:
        if asked.body["prompt"] == "hang":
            await asyncio.to_thread(go_on.wait)
        return completion()

    async def ask(url: str) -> list[Any]:
        # Each request costs 9: for five of them.
        money = ServerSettings(
            base_url=url, concurrency=2, timeout=600, price_in=1e6, price_out=1e6, budget=45
        )
        async with Server(money) as server:

            async def request(prompt: str) -> dict[str, Any]:
                body = {"prompt": prompt}
                return await server.request(
                    ServerRequest("completions", body, prompt_tokens=7, completion_tokens=2)
                )

            hanging = asyncio.create_task(request("hang"))
            while not log.asked:
                await asyncio.sleep(0.01)
            others = [await request("go") for _ in range(4)]
            with pytest.raises(BudgetSpent):
                await request("go")
            server.stop()
            go_on.set()
            return [*others, await hanging]

    with answering(hang) as log:
        assert all(isinstance(one, dict) for one in asyncio.run(ask(log.base_url)))
    assert len(log.asked) == 5


def test_the_servers_body_is_sent_and_counted(tmp_path: Path) -> None:
    async def ask(url: str) -> None:
        body = {"top_p": 0.5, "temperature": None, "max_tokens": 600}
        settings = ServerSettings(base_url=url, body=body, tokens_per_minute=60)
        async with Server(settings, tmp_path / "usage.sqlite") as server:
            await server.request(ServerRequest("completions", {"prompt": "a", "temperature": 0}))

    with answering(fine) as log:
        asyncio.run(ask(log.base_url))
    assert log.asked[0].body == {"prompt": "a", "top_p": 0.5, "max_tokens": 600}
    clock = Clock()
    clock.now = time.time()
    settings = ServerSettings(base_url=URL, tokens_per_minute=60)
    next_one = Accounting(settings, tmp_path / "usage.sqlite", clock=clock.time, sleep=clock.sleep)

    async def main() -> None:
        await asyncio.gather(next_one.admit(1), clock.run())

    asyncio.run(main())
    assert clock.now > time.time() + 500


def test_stopping_cancels_what_waits_and_lets_the_others_end() -> None:
    async def some(asked: Asked) -> bytes:
        await asyncio.sleep(0.2)
        return completion()

    async def ask(url: str) -> list[Any]:
        async with Server(ServerSettings(base_url=url, concurrency=2)) as server:
            tasks = [asyncio.create_task(server.request(ServerRequest("completions", {}))) for _ in range(9)]
            while len(log.asked) < 2:
                await asyncio.sleep(0.01)
            server.stop()
            late = server.request(ServerRequest("completions", {}))
            return await asyncio.gather(*tasks, late, return_exceptions=True)

    with answering(some) as log:
        done = asyncio.run(ask(log.base_url))
    assert [isinstance(one, dict) for one in done] == [True] * 2 + [False] * 8
    assert all(isinstance(one, asyncio.CancelledError) for one in done[2:])
    assert len(log.asked) == 2


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "usage.sqlite").write_text("what stands here is no database at all, only words" * 20)
    with refused(file="usage.sqlite"):
        Accounting(ServerSettings(base_url=URL), tmp_path / "usage.sqlite")


def test_a_stage_that_saved_only_its_accounting_is_released(tmp_path: Path) -> None:
    with stage(tmp_path / "out", "translate", {}, {}):
        Accounting(ServerSettings(base_url=URL), tmp_path / "out" / "usage.sqlite")
    assert not (tmp_path / "out").exists()
