"""Sends requests to a translator, unless the cache has the answer; equal requests in flight are sent once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from crossin.core.cache import Cache, CacheWriter
from crossin.core.files import sha256_of_value
from crossin.translation.reasons import TranslationReason
from crossin.translation.requests import TranslationRequest, TranslationResponse, Translator

# Requests that are looked up in the cache and sent together.
SENT_AT_ONCE = 100
# New requests are taken in while fewer than this times the translator's concurrency are under way.
_AHEAD = 2
# Responses that are held until they are certain to be in the cache.
_UNWRITTEN = 1000


@dataclass
class ResponseCounts:
    """The responses that a shard is made from, and their tokens. requested: those that this run requested for
    the shard, also before it was stopped and resumed. cached: those that the cache had, which may be this
    run's too. failed: failures, which another run requests again. mark: names run and shard in the cache.
    """

    requested: int = 0
    cached: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    mark: str = field(default="", repr=False)
    seen: set[str] = field(default_factory=set, repr=False)

    def add(self, kind: str, key: str, response: TranslationResponse, mark: str = "") -> None:
        """Count a response by its cache key, as `requested`, `cached` or `failed`. mark: of whoever put it
        into the cache.
        """
        if key not in self.seen:
            self.seen.add(key)
            setattr(self, kind, getattr(self, kind) + 1)
            if mark and mark == self.mark:
                self.requested += 1
            self.prompt_tokens += response.prompt_tokens
            self.completion_tokens += response.completion_tokens

    def as_dict(self) -> dict[str, int]:
        """The counts by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, int)}


def cache_key(identity: Mapping[str, Any], request: TranslationRequest) -> str:
    """The key of a request's response: a hash of everything that decides it."""
    parts = (request.source, request.target, request.names, request.texts, request.attempt)
    # Without a context as before there was one.
    return sha256_of_value([identity, *parts, *([request.context] if request.context else [])])


class Scheduler:
    """Sends requests, within what the translator can use at once, and caches the responses.

    failure: the first error of a request for good, after which no other is started.
    """

    def __init__(self, translator: Translator, cache: Cache, writer: CacheWriter) -> None:
        self.failure: BaseException | None = None
        self._translator, self._cache, self._writer = translator, cache, writer
        self._identity = dict(translator.identity)
        self._in_flight: dict[str, asyncio.Task[TranslationResponse]] = {}
        self._unwritten: dict[str, TranslationResponse] = {}
        self._flushing = False
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        """Wait until the translator will soon need more requests."""
        await self._room.wait()

    def send(
        self, requests: Iterable[TranslationRequest], counts: ResponseCounts
    ) -> dict[TranslationRequest, asyncio.Future[TranslationResponse]]:
        """A future response for each request. Wait for `room` first, and shield the futures from
        cancellation: others may wait for them too.
        """
        keys = {request: cache_key(self._identity, request) for request in requests}
        known = self._cache.get(
            key for key in keys.values() if key not in self._in_flight and key not in self._unwritten
        )
        futures: dict[TranslationRequest, asyncio.Future[TranslationResponse]] = {}
        for request, key in keys.items():
            if key in self._in_flight:
                futures[request] = self._in_flight[key]
            elif key in self._unwritten or key in known:
                value = known.get(key, {})
                response = self._unwritten.get(key) or _response(value)
                counts.add("cached", key, response, value.get("mark", ""))
                futures[request] = asyncio.get_running_loop().create_future()
                futures[request].set_result(response)
            else:
                futures[request] = self._start(request, key, counts)
        return futures

    async def translate(
        self, requests: Iterable[TranslationRequest], counts: ResponseCounts
    ) -> dict[TranslationRequest, TranslationResponse]:
        """The responses of requests, which are sent as there is room."""
        unique = list(dict.fromkeys(requests))
        futures: dict[TranslationRequest, asyncio.Future[TranslationResponse]] = {}
        for start in range(0, len(unique), SENT_AT_ONCE):
            await self.room()
            futures |= self.send(unique[start : start + SENT_AT_ONCE], counts)
        return {request: await asyncio.shield(future) for request, future in futures.items()}

    async def close(self, *, cancel: bool) -> None:
        """End the requests in flight: cancelled at once, or waited for, so that no paid answer is lost."""
        tasks = list(self._in_flight.values())
        if cancel:
            for task in tasks:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(
        self, request: TranslationRequest, key: str, counts: ResponseCounts
    ) -> asyncio.Task[TranslationResponse]:
        task = asyncio.create_task(self._request(request, key, counts))
        self._in_flight[key] = task
        task.add_done_callback(partial(self._ended, key))
        if len(self._in_flight) >= _AHEAD * self._translator.concurrency:
            self._room.clear()
        return task

    async def _request(
        self, request: TranslationRequest, key: str, counts: ResponseCounts
    ) -> TranslationResponse:
        response = await self._translator.translate(request)
        response = replace(response, time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        counts.add("requested" if response.cacheable else "failed", key, response)
        if response.cacheable:
            self._writer.put(key, {**_value(response), "mark": counts.mark})
            self._unwritten[key] = response
            if len(self._unwritten) >= _UNWRITTEN and not self._flushing:
                await self._flush()
        return response

    async def _flush(self) -> None:
        """Forget the responses that are in the cache now. In a thread, since another process may hold the
        file: requests go on meanwhile.
        """
        self._flushing = True
        try:
            held = list(self._unwritten)
            await asyncio.to_thread(self._writer.flush)
            for key in held:
                del self._unwritten[key]
        finally:
            self._flushing = False

    def _ended(self, key: str, task: asyncio.Task[TranslationResponse]) -> None:
        del self._in_flight[key]
        if len(self._in_flight) < _AHEAD * self._translator.concurrency:
            self._room.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            # Every request that follows would fail too, or cost money for nothing.
            self.failure = self.failure or error
            self._translator.stop()


@asynccontextmanager
async def open_scheduler(translator: Translator, cache: Path) -> AsyncIterator[Scheduler]:
    """A scheduler with the translator opened, and the cache in the file `cache`.

    Raises the error of the first request that failed for good, once those in flight have ended.
    """
    with Cache(cache) as known, CacheWriter(cache) as writer:
        async with translator:
            scheduler = Scheduler(translator, known, writer)
            try:
                yield scheduler
            except BaseException as error:
                translator.stop()
                # Cancelled is what the user stops, unless a request failed.
                stopped = isinstance(error, asyncio.CancelledError) and scheduler.failure is None
                await scheduler.close(cancel=stopped)
                if scheduler.failure is None:
                    raise
            if scheduler.failure is not None:
                raise scheduler.failure


def _value(response: TranslationResponse) -> dict[str, Any]:
    value = asdict(response)
    del value["cacheable"]
    return value


def _response(value: Mapping[str, Any]) -> TranslationResponse:
    entries = {name: one for name, one in value.items() if name != "mark"}
    # Caches of earlier versions hold a sentence in place of the code.
    sentence = entries.pop("trouble", "")
    if sentence:
        entries |= {"reason": TranslationReason.INVALID_RESPONSE.value, "detail": sentence}
    texts = entries.pop("texts")
    return TranslationResponse(None if texts is None else tuple(texts), **entries)
