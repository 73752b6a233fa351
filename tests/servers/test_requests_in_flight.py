"""How many requests are in flight, in what order answers come, and what a caller that stops leaves."""

from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import Iterator
from functools import partial
from itertools import islice

import pytest

from crossin.servers import (
    Accounting,
    Server,
    ServerRequest,
    request_all,
    request_each,
    rough_tokens,
)
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, answering, completion, response, settings


def requests(number: int) -> list[ServerRequest]:
    return [ServerRequest("completions", {"model": "m", "prompt": str(n)}, n) for n in range(number)]


def test_an_error_does_not_wait_for_requests_that_wait() -> None:
    async def refuse(asked: Asked) -> bytes:
        return response(401, {}) if asked.body["prompt"] == "0" else response(503, {}, Retry_After="500")

    with answering(refuse) as log:
        # The second request may leave after an hour only.
        slow = settings(log.base_url, requests_per_minute=1 / 60)
        with refused("401"):
            list(request_all(slow, requests(100)))
        assert len(log.asked) == 1

    async def refuse_later(asked: Asked) -> bytes:
        while len(log.asked) < 4:
            await asyncio.sleep(0.01)
        return await refuse(asked)

    with answering(refuse_later) as log, refused("401"):
        list(request_all(settings(log.base_url, concurrency=4, timeout=1000), requests(100)))


async def fine(asked: Asked) -> bytes:
    return completion(asked.body["prompt"])


def test_no_more_requests_are_open_than_allowed() -> None:
    async def slow(asked: Asked) -> bytes:
        await asyncio.sleep(0.01)
        return completion()

    with answering(slow) as log:
        assert len(list(request_all(settings(log.base_url, concurrency=3), requests(40)))) == 40
    assert log.most_open == 3


def test_each_request_comes_with_its_own_answer_in_the_order_of_completion() -> None:
    async def backwards(asked: Asked) -> bytes:
        await asyncio.sleep(0.05 * (5 - int(asked.body["prompt"])))
        return completion(asked.body["prompt"])

    with answering(backwards) as log:
        pairs = list(request_all(settings(log.base_url, concurrency=5), requests(5)))
    assert [request.tag for request, _ in pairs] == [4, 3, 2, 1, 0]
    assert all(answer["choices"][0]["text"] == str(request.tag) for request, answer in pairs)


def test_requests_are_made_as_places_become_free() -> None:
    made, given = [0], 0
    ahead = 0

    def counted() -> Iterator[ServerRequest]:
        for request in requests(300):
            made[0] += 1
            yield request

    with answering(fine) as log:
        for _ in request_all(settings(log.base_url, concurrency=4), counted()):
            given += 1
            ahead = max(ahead, made[0] - given)
    assert (made[0], given) == (300, 300)
    assert ahead <= 8


def test_answers_come_while_others_are_still_under_way() -> None:
    first_given = threading.Event()

    async def second_waits(asked: Asked) -> bytes:
        if asked.body["prompt"] == "1":
            await asyncio.to_thread(first_given.wait, 20)
        return completion()

    with answering(second_waits) as log:
        for request, _ in request_all(settings(log.base_url), requests(2)):
            if request.tag == 0:
                first_given.set()
    assert first_given.is_set()


def test_requests_go_on_while_the_caller_is_busy() -> None:
    with answering(fine) as log:
        answers = request_all(settings(log.base_url, concurrency=4), requests(8))
        next(answers)
        waiting = threading.Event()
        while len(log.asked) < 8:
            waiting.wait(0.01)
        assert len(list(answers)) == 7


def test_a_caller_that_stops_leaves_nothing_behind() -> None:
    before = threading.active_count()

    async def some(asked: Asked) -> bytes:
        if asked.body["prompt"] != "0":
            await asyncio.sleep(60)
        return completion()

    with answering(some) as log:
        answers = request_all(settings(log.base_url, concurrency=4), requests(1000))
        next(answers)
        answers.close()
        assert threading.active_count() == before + 1  # the loopback server itself
        assert len(log.asked) <= 8


def test_a_caller_that_fails_leaves_nothing_behind() -> None:
    before = threading.active_count()

    def caller(base_url: str) -> None:
        for request, _ in request_all(settings(base_url, concurrency=4), requests(1000)):
            raise KeyError(request.tag)

    with answering(fine) as log:
        with pytest.raises(KeyError):
            caller(log.base_url)
        assert threading.active_count() == before + 1


def test_failures_that_nobody_reads_are_not_printed(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(asked: Asked) -> bytes:
        return completion() if asked.body["prompt"] == "0" else response(503, {})

    with answering(fail) as log:
        fast = settings(log.base_url, concurrency=4, retries=0)
        answers = request_each(fast, requests(8), None, lambda _: True)
        assert [isinstance(answer, dict) for _, answer in islice(answers, 2)].count(False) > 0
        # The others are waiting to be read.
        while len(log.asked) < 8:
            time.sleep(0.01)
        time.sleep(0.1)
        answers.close()
        del answers
        gc.collect()
    assert "never retrieved" not in caplog.text


def test_a_program_that_ends_with_answers_unread_ends() -> None:
    with answering(fine) as log:
        program = (
            "from crossin.servers import ServerRequest, ServerSettings, request_all\n"
            "requests = [ServerRequest('completions', {'prompt': 'a'})] * 99\n"
            f"answers = request_all(ServerSettings(base_url={log.base_url!r}), requests)\n"
            "next(answers)\n"
            # Found by the collector alone, when the interpreter is half gone.
            "kept = {'answers': answers}\n"
            "kept['kept'] = kept\n"
            "del kept, answers\n"
        )
        ended = subprocess.run(
            [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, timeout=60, check=True
        )
    # A connection that was being opened may leave a library's warning on a coroutine.
    assert "Traceback" not in ended.stderr and "Exception" not in ended.stderr


def test_nothing_to_ask() -> None:
    assert list(request_all(settings("http://localhost:9/v1"), [])) == []


def test_an_interrupted_program_ends_at_once() -> None:
    async def hang(asked: Asked) -> bytes:
        await asyncio.sleep(600)
        return b""

    with answering(hang) as log:
        program = (
            "from crossin.servers import ServerRequest, ServerSettings, request_all\n"
            f"settings = ServerSettings(base_url={log.base_url!r}, timeout=500)\n"
            "list(request_all(settings, [ServerRequest('completions', {})] * 9))\n"
        )
        # A job in the background has Ctrl-C switched off, and hands that on.
        listens = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(
            [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, preexec_fn=listens
        )
        waiting = threading.Event()
        while not log.asked:
            waiting.wait(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert errors.strip().endswith("KeyboardInterrupt")


def test_tokens_and_cost_are_counted_as_the_server_does() -> None:
    with answering(fine) as log:
        accounting = Accounting(settings(log.base_url, price_in=10, price_out=100))
        list(request_all(accounting.settings, requests(10), accounting))
    usage = accounting.usage
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (10, 70, 20)
    assert usage.cost == pytest.approx((70 * 10 + 20 * 100) / 1e6)
    assert Server(settings("http://localhost/v1")).usage.cost is None


def test_ten_thousand_requests_take_no_memory_that_grows() -> None:
    async def none(self: Server, *rest: object) -> dict[str, object]:
        return {"choices": []}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "request", none)
        tracemalloc.start()
        stream = (ServerRequest("completions", {"prompt": "x" * 10_000}, number) for number in range(10_000))
        assert sum(1 for _ in request_all(settings("http://localhost/v1", concurrency=64), stream)) == 10_000
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 30_000_000


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("the cat sat", 3), ("北京", 2)])
def test_rough_tokens(text: str, tokens: int) -> None:
    assert rough_tokens(text) == tokens
