"""A server that misbehaves: what passes is tried again, a bounded number of times; what does not is one clear
error; what was answered is kept.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from crossin.servers import Accounting, Refused, Server, ServerRequest, ServerSettings, client, request_all
from tests.helpers.errors import refused
from tests.helpers.loopback import Asked, answering, completion, response, settings

KEY = "sk-very-secret-0123456789"
CUT = b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\nContent-Type: application/json\r\n\r\n{"choices": [{"te'
CUT_CHUNKS = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"cho\r\n'
HALF_JSON = response(200, '{"choices": [{"text": "fi')
PAGE = "<html><head><style>p {}</style></head><body><h1>502 Bad\x1b[31m Gateway</h1></body></html>"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def requests(*prompts: str) -> list[ServerRequest]:
    return [
        ServerRequest("completions", {"model": "m", "prompt": prompt}, prompt, f"question {prompt}")
        for prompt in prompts
    ]


def failing_first(times: int, answer: bytes | None) -> Callable[[Asked], Any]:
    left = [times]

    async def found(_: Asked) -> bytes | None:
        left[0] -= 1
        return answer if left[0] >= 0 else completion()

    return found


@pytest.mark.parametrize(
    "fault",
    [
        response(408, {}),
        response(409, {}),
        response(429, {"error": {"message": "slow down"}}),
        response(500, {"error": {"message": "oh"}}),
        response(502, PAGE),
        response(503, "", Retry_After="0"),
        response(200, "this is no JSON"),
        response(200, PAGE),
        response(200, [1, 2]),
        response(200, {"error": {"message": "overloaded"}}),
        response(200, "[" * 200_000),
        HALF_JSON,
        CUT,
        CUT_CHUNKS,
        b"nonsense\r\n\r\n",
        None,
    ],
    ids=lambda fault: "closed" if fault is None else fault[:60].decode().replace("\r\n", " "),
)
def test_what_passes_is_tried_again(fault: bytes | None) -> None:
    with answering(failing_first(2, fault)) as log:
        accounting = Accounting(settings(log.base_url, retries=2))
        ((request, answer),) = request_all(accounting.settings, requests("a"), accounting)
    assert (request.tag, answer["choices"][0]["text"]) == ("a", "fine")
    assert len(log.asked) == 3
    assert (accounting.usage.requests, accounting.usage.retries) == (1, 2)


@pytest.mark.parametrize("fault", [response(500, PAGE), response(200, "no JSON"), CUT, None])
def test_attempts_are_bounded(fault: bytes | None) -> None:
    with answering(failing_first(99, fault)) as log, refused("attempt 3") as caught:
        list(request_all(settings(log.base_url, retries=2), requests("a")))
    assert len(log.asked) == 3
    assert "question a" in str(caught.value)


def test_a_page_of_mark_up_is_quoted_as_plain_words() -> None:
    with answering(failing_first(99, response(502, PAGE))) as log, refused() as caught:
        list(request_all(settings(log.base_url, retries=0), requests("a")))
    assert "status 502: 502 Bad [31m Gateway" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (400, "complains"),
        (401, "OPENAI_API_KEY"),
        (403, "OPENAI_API_KEY"),
        (422, "complains"),
        (307, "redirects"),
    ],
)
def test_a_refusal_is_not_tried_again(status: int, word: str) -> None:
    answer = response(status, {"error": {"message": f"no, not with {KEY}"}}, Location="http://127.0.0.1:9/")
    with answering(failing_first(99, answer)) as log, refused(word) as caught:
        list(request_all(settings(log.base_url), requests("a")))
    assert len(log.asked) == 1
    assert isinstance(caught.value, Refused)
    assert caught.value.status == status
    assert "no, not with [key]" in str(caught.value)
    assert KEY not in str(caught.value) + repr(caught.value)


def test_an_account_without_money_is_not_asked_again() -> None:
    answer = response(429, {"error": {"message": "pay first", "code": "insufficient_quota"}})
    with answering(failing_first(99, answer)) as log, refused("quota"):
        list(request_all(settings(log.base_url), requests("a")))
    assert len(log.asked) == 1


@pytest.mark.parametrize(
    ("models", "advice"),
    [
        (
            response(200, {"data": [{"id": "llama"}, {"id": "qwen"}]}),
            "name one of the server's models: llama, qwen",
        ),
        (response(200, {"data": [{"id": "m"}]}), "check the base URL"),
        (response(404, PAGE), "check the base URL"),
    ],
)
def test_a_404_tells_of_an_unknown_model_from_a_wrong_address(models: bytes, advice: str) -> None:
    async def answer(asked: Asked) -> bytes:
        return models if asked.path == "/v1/models" else response(404, {"detail": "Not Found"})

    with answering(answer) as log, refused(advice):
        list(request_all(settings(log.base_url), requests("a")))


async def hang(asked: Asked) -> bytes:
    await asyncio.sleep(60)
    return b""


async def drip(asked: Asked) -> AsyncIterator[bytes]:
    async def drops() -> AsyncIterator[bytes]:
        # Whole in the end, but far beyond the time that there is.
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 42\r\n\r\n"
        for _ in range(40):
            yield b" "
            await asyncio.sleep(0.05)
        yield b"{}"

    return drops()


async def pour(asked: Asked) -> AsyncIterator[bytes]:
    async def flood() -> AsyncIterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n"
        while True:
            yield b" " * 1000

    return flood()


def test_an_endless_answer_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST", 5000)
    with answering(pour) as log:
        with refused("more than 5,000 bytes"):
            list(request_all(settings(log.base_url), requests("a")))
        assert len(log.asked) == 1


@pytest.mark.parametrize("never", [hang, drip])
def test_a_server_that_never_ends_is_left(never: Callable[[Asked], Any]) -> None:
    with answering(never) as log, refused("no answer within 0.2 s (attempt 2)"):
        list(request_all(settings(log.base_url, retries=1, timeout=0.2), requests("a")))
    assert len(log.asked) == 2


def test_nobody_at_the_address() -> None:
    with answering(failing_first(0, None)) as log:
        pass
    with refused("no connection") as caught:
        list(request_all(settings(log.base_url, retries=1), requests("a")))
    assert "server runs" in str(caught.value)


def test_what_was_answered_is_kept_when_an_error_comes() -> None:
    async def answer(asked: Asked) -> bytes:
        number = int(asked.body["prompt"])
        if number == 3:
            return response(400, {"error": {"message": "too long"}})
        # The neighbours of the faulty one are under way while it fails.
        await asyncio.sleep(0.2 if number in (4, 5) else 0)
        return completion()

    kept = []
    some = requests(*map(str, range(1000)))
    with answering(answer) as log, refused("question 3", "too long"):
        for request, _ in request_all(settings(log.base_url, concurrency=4), some):
            kept.append(request.tag)
    assert sorted(kept) == sorted(prompt for prompt in log.prompts() if prompt != "3")
    assert {"0", "1", "2", "4"} <= set(kept)
    assert len(kept) < 20


def test_answers_under_way_are_kept_when_the_callers_own_calls_fail() -> None:
    def some() -> Any:
        yield from requests("a", "b")
        while len(log.asked) < 2:
            time.sleep(0.01)
        raise KeyError("a bad item")

    kept = []
    with answering(failing_first(0, None)) as log, pytest.raises(KeyError):
        # The second is in flight when a third is wanted.
        for request, _ in request_all(settings(log.base_url, concurrency=1), some()):
            kept.append(request.tag)
    assert sorted(kept) == ["a", "b"]


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status: int, as_date: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2030, 1, 1, tzinfo=UTC)
    wanted = format_datetime(now + timedelta(seconds=40), usegmt=True) if as_date else "40"
    slept: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        slept.append(seconds)
        await sleep(0)

    answer = response(status, {}, Retry_After=wanted, Date=format_datetime(now, usegmt=True))
    with answering(failing_first(2, answer)) as log:
        accounting = Accounting(settings(log.base_url))
        # The pause of the others has its own test.
        monkeypatch.setattr(accounting, "retry", lambda pause: slept.append(-pause))
        monkeypatch.setattr(asyncio, "sleep", noted)
        assert len(list(request_all(accounting.settings, requests("a"), accounting))) == 1
    # The call waits each time, up to its jitter; the others wait once it is asked for twice in a row.
    assert sum(40 <= seconds <= 40.02 for seconds in slept) == 2
    assert slept.count(-40.0) == 1


def test_a_wait_beyond_the_time_of_a_call_is_refused_at_once() -> None:
    with answering(failing_first(99, response(429, {}, Retry_After="86400"))) as log:
        with refused("asks to wait 86400 s"):
            list(request_all(settings(log.base_url), requests("a")))
        assert len(log.asked) == 1


@pytest.mark.parametrize("wait", ["9" * 400, "1" + "0" * 30, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_a_wait_without_end_is_refused_at_once(wait: str) -> None:
    with answering(failing_first(99, response(429, {}, Retry_After=wait))) as log:
        with refused("asks to wait"):
            list(request_all(settings(log.base_url), requests("a")))
        assert len(log.asked) == 1


@pytest.mark.parametrize(
    "value", ["soon", "-5", "Wed, 99 Foo", "", "nan", "Wed, 21 Oct 2015 07:28:00 +9999999999999999"]
)
def test_a_retry_after_that_is_none_does_no_harm(value: str) -> None:
    with answering(failing_first(1, response(503, {}, Retry_After=value))) as log:
        assert len(list(request_all(settings(log.base_url), requests("a")))) == 1


@pytest.mark.parametrize(
    "url",
    [
        "localhost:8000",
        "ftp://host/v1",
        "http://",
        "http://host:port/v1",
        f"http://user:{KEY}@host/v1",
        f"http://host/v1?key={KEY}",
        f"user:{KEY}@host/v1",
        f"{KEY}",
        "http://host/v1?",
    ],
)
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with refused(field="base_url") as caught:
        settings(url)
    assert KEY not in str(caught.value)
    with pytest.raises(ValueError) as direct:
        ServerSettings(base_url=url)
    assert KEY not in str(direct.value)


@pytest.mark.parametrize(
    "url", ["http://ho st/v1", "http://a..b/v1", "http://host/v\x00", "http://ho\nst/v1"]
)
def test_an_address_that_cannot_be_asked_is_one_clear_error(url: str) -> None:
    with refused():
        list(request_all(settings(url, retries=0), requests("a")))


@pytest.mark.parametrize("proxy", [f"nonsense://user:{KEY}@host:1", "http://[::1", "http://host:port"])
def test_a_proxy_that_is_none_is_told_but_not_quoted(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy)
    with refused("ALL_PROXY") as caught:
        list(request_all(settings("http://host.invalid/v1"), requests("a")))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("name", ["concurrency", "timeout", "requests_per_minute", "tokens_per_minute"])
def test_settings_must_be_above_zero(name: str) -> None:
    with refused(field=name):
        settings("http://localhost/v1", **{name: 0})


@pytest.mark.parametrize(
    ("given", "word"),
    [({"price_in": 1}, "both"), ({"price_out": 1}, "both"), ({"budget": 1}, "price_in")],
)
def test_prices_come_in_pairs_and_a_budget_needs_them(given: dict[str, float], word: str) -> None:
    with refused(word):
        settings("http://localhost/v1", **given)


def test_a_server_needs_an_address() -> None:
    with refused("address", field="base_url"):
        Server(ServerSettings())


def test_the_key_goes_to_the_server_and_nowhere_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    with answering(failing_first(1, response(500, {"error": KEY}))) as log:

        async def ask() -> str:
            async with Server(settings(log.base_url), tmp_path / "usage.sqlite") as server:
                answer = await server.request(requests("a")[0])
                return json.dumps(answer) + repr(vars(server)) + repr(vars(server.accounting))

        text = asyncio.run(ask()) + (tmp_path / "usage.sqlite").read_text(errors="replace")
        assert log.asked[0].headers["authorization"] == f"Bearer {KEY}"
    written = capfd.readouterr()
    assert KEY not in text + caplog.text + written.out + written.err


def test_without_a_key_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with answering(failing_first(0, None)) as log:
        list(request_all(settings(log.base_url), requests("a")))
    assert "authorization" not in log.asked[0].headers


def test_a_key_that_cannot_be_one_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER", f"{KEY}\r\nX: y")
    with refused("OTHER") as caught:
        list(request_all(settings("http://localhost:9/v1", key_variable="OTHER"), requests("a")))
    assert KEY not in str(caught.value)


def test_a_missing_key_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with (
        answering(failing_first(99, response(401, {}))) as log,
        refused("OPENAI_API_KEY", "it is not set"),
    ):
        list(request_all(settings(log.base_url), requests("a")))
