"""Requests go through the cache, once each, while several callers wait for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from crossin.core.cache import CacheWriter
from crossin.core.errors import CrossinError
from crossin.translation import scheduler
from crossin.translation.requests import TranslationRequest, TranslationResponse
from crossin.translation.scheduler import ResponseCounts, Scheduler, open_scheduler


class Upper:
    """A translator that gives texts back in capitals; it fails at "broken", and loses what begins with
    "lost".
    """

    unit: Literal["row", "text", "sentence"] = "row"
    attempts = 1
    by_span = False
    identity: Mapping[str, Any] = {"engine": "upper"}

    def __init__(self, concurrency: int = 2) -> None:
        self.concurrency = concurrency
        self.requested: list[str] = []
        self.most_in_flight = self._in_flight = 0
        self.stopped = False

    def check(self, source: str, targets: Sequence[str]) -> None: ...

    def stop(self) -> None:
        self.stopped = True

    async def __aenter__(self) -> Upper:
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def translate(self, request: TranslationRequest) -> TranslationResponse:
        if self.stopped:
            raise asyncio.CancelledError
        text = request.texts[0]
        self.requested.append(text)
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        await asyncio.sleep(0 if text == "broken" else 0.001)
        self._in_flight -= 1
        if text == "broken":
            raise CrossinError("the translator broke", hint="fix it")
        lost = text.startswith("lost")
        return TranslationResponse(None if lost else (text.upper(),), cacheable=not lost)


def requests(*texts: str) -> list[TranslationRequest]:
    return [TranslationRequest("en", "zh", ("text",), (text,)) for text in texts]


def run(folder: Path, translator: Upper, *calls: Sequence[str]) -> tuple[list[list[str]], ResponseCounts]:
    """What each of several callers at once gets for its texts."""
    counts = ResponseCounts()

    async def call(scheduler: Scheduler, texts: Sequence[str]) -> list[str]:
        wanted = requests(*texts)
        responses = await scheduler.translate(wanted, counts)
        return [(responses[request].texts or ("?",))[0] for request in wanted]

    async def main() -> list[list[str]]:
        async with open_scheduler(translator, folder / "cache.sqlite") as scheduler:
            return await asyncio.gather(*(call(scheduler, texts) for texts in calls))

    return asyncio.run(main()), counts


def test_each_caller_gets_its_responses(tmp_path: Path) -> None:
    found, counts = run(tmp_path, Upper(), ["a", "b"], [], ["c"])
    assert found == [["A", "B"], [], ["C"]]
    assert (counts.requested, counts.cached, counts.failed) == (3, 0, 0)


def test_equal_requests_in_flight_are_sent_once(tmp_path: Path) -> None:
    translator = Upper()
    found, counts = run(tmp_path, translator, ["a", "same"], ["same", "b"], ["same", "same"])
    assert found == [["A", "SAME"], ["SAME", "B"], ["SAME", "SAME"]]
    assert sorted(translator.requested) == ["a", "b", "same"]
    assert counts.requested == 3


def test_a_response_is_known_before_it_is_on_the_disk(tmp_path: Path) -> None:
    translator = Upper()

    async def main() -> None:
        async with open_scheduler(translator, tmp_path / "cache.sqlite") as scheduler:
            for _ in range(3):
                await scheduler.translate(requests("a"), ResponseCounts())

    asyncio.run(main())
    assert translator.requested == ["a"]


def test_requests_go_on_while_the_cache_is_slow_to_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone_on, places = threading.Event(), asyncio.Semaphore(2)
    whole = CacheWriter.flush

    def flush(writer: CacheWriter) -> None:
        # As long as the others are not requested. The loop would stand still here for ever.
        assert gone_on.wait(60), "no request was sent meanwhile"
        whole(writer)

    class Watched(Upper):
        async def translate(self, request: TranslationRequest) -> TranslationResponse:
            async with places:
                if len(self.requested) == 29:
                    gone_on.set()
                return await super().translate(request)

    monkeypatch.setattr(CacheWriter, "flush", flush)
    monkeypatch.setattr(scheduler, "_UNWRITTEN", 5)
    translator = Watched()
    texts = [f"text {number}" for number in range(30)]
    found, counts = run(tmp_path, translator, texts, texts)
    assert found == [[text.upper() for text in texts]] * 2
    assert (counts.requested, len(translator.requested)) == (30, 30)
    assert run(tmp_path, Upper(), texts)[1].cached == 30


def test_cached_responses_are_not_requested_again(tmp_path: Path) -> None:
    run(tmp_path, Upper(), ["a", "b"])
    translator = Upper()
    found, counts = run(tmp_path, translator, ["b", "a"])
    assert found == [["B", "A"]]
    assert (counts.cached, translator.requested) == (2, [])


def test_a_failure_that_may_pass_is_not_cached(tmp_path: Path) -> None:
    _, counts = run(tmp_path, Upper(), ["lost one"])
    assert (counts.requested, counts.failed) == (0, 1)
    translator = Upper()
    run(tmp_path, translator, ["lost one"])
    assert translator.requested == ["lost one"]


def test_only_so_many_requests_are_in_memory_as_the_translator_can_use(tmp_path: Path) -> None:
    translator = Upper(concurrency=4)
    texts = [f"text {number}" for number in range(1000)]
    (found,), _ = run(tmp_path, translator, texts)
    assert found == [text.upper() for text in texts]
    # Twice the concurrency, and what is looked up together.
    assert translator.most_in_flight <= 2 * 4 + 100


def test_an_error_ends_the_run_and_loses_no_response(tmp_path: Path) -> None:
    translator = Upper()
    with pytest.raises(CrossinError, match="broke"):
        run(tmp_path, translator, ["a", "b", "broken", "c"], ["d"])
    assert translator.stopped
    again = Upper()
    (found,), counts = run(tmp_path, again, ["a", "b", "c", "d"])
    assert found == ["A", "B", "C", "D"]
    # Those in flight were waited for; the one that had not been sent never was.
    assert counts.cached == 3 and again.requested == ["d"]


def test_the_users_own_error_cancels_nothing_that_is_paid_for(tmp_path: Path) -> None:
    async def main() -> None:
        async with open_scheduler(Upper(), tmp_path / "cache.sqlite") as scheduler:
            scheduler.send(requests("a"), ResponseCounts())
            await asyncio.sleep(0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())
    assert run(tmp_path, Upper(), ["a"])[1].cached == 1
