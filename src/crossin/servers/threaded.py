"""Requests for callers that are not async: an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Thread, current_thread
from typing import Any

from crossin.servers.accounting import Accounting
from crossin.servers.client import Server
from crossin.servers.requests import ServerRequest
from crossin.servers.responses import Refused
from crossin.servers.settings import ServerSettings


@contextmanager
def running_loop(
    cleanup: Callable[[], Coroutine[Any, Any, None]] | None = None,
) -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own, so also where one runs already, as in notebooks.

    In the end its tasks are cancelled and `cleanup` is awaited. Use it with
    `asyncio.run_coroutine_threadsafe`.
    """
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="crossin-requests", daemon=True)
    thread.start()
    closing = False

    def close() -> None:
        nonlocal closing
        if closing:
            return
        closing = True
        ended = asyncio.run_coroutine_threadsafe(_end(cleanup), loop)
        ended.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
        # A generator left unread may be collected in this thread, which cannot wait for itself.
        if current_thread() is not thread:
            thread.join()
            loop.close()
            ended.result()

    # Threads that still run when the interpreter ends may crash it.
    atexit.register(close)
    try:
        yield loop
    finally:
        atexit.unregister(close)
        close()


def request_all(
    settings: ServerSettings, requests: Iterable[ServerRequest], accounting: Accounting | None = None
) -> Generator[tuple[ServerRequest, dict[str, Any]]]:
    """Each request with the server's answer, in the order in which they are answered.

    `requests` is read as places become free: at most twice `concurrency` requests are in memory. Once a
    request fails for good, or `requests` does, no new one is sent; those in flight are waited for and yielded
    if they succeed, and then the error is raised. Where the caller stops, all connections are closed at once.
    """
    with closing(request_each(settings, requests, accounting, lambda _: False)) as answers:
        for request, answer in answers:
            assert not isinstance(answer, Refused)
            yield request, answer


def request_each(
    settings: ServerSettings,
    requests: Iterable[ServerRequest],
    accounting: Accounting | None,
    tolerated: Callable[[Refused], bool],
) -> Generator[tuple[ServerRequest, dict[str, Any] | Refused]]:
    """As `request_all`, but a request that fails for good in a way that is `tolerated` is yielded with its
    error, and the others go on.
    """
    source, under_way = iter(requests), 0
    failure: BaseException | None = None
    finished: SimpleQueue[tuple[ServerRequest, asyncio.Task[dict[str, Any]]]] = SimpleQueue()
    tasks: set[asyncio.Task[dict[str, Any]]] = set()

    def begin(batch: list[ServerRequest]) -> None:
        for request in batch:
            task = loop.create_task(server.request(request))
            tasks.add(task)
            task.add_done_callback(partial(end, request))

    def end(request: ServerRequest, task: asyncio.Task[dict[str, Any]]) -> None:
        tasks.discard(task)
        # Read even where the caller stops before: asyncio would print what nobody has read.
        if not task.cancelled():
            task.exception()
        finished.put((request, task))

    server = Server(settings, accounting)
    with running_loop(server.__aexit__) as loop:
        while True:
            # In batches: waking the other thread for each request would cost a fifth of the speed.
            if failure is None and under_way <= 1.5 * settings.concurrency:
                fresh: list[ServerRequest] = []
                try:
                    fresh.extend(islice(source, 2 * settings.concurrency - under_way))
                except Exception as own:
                    failure = own
                under_way += len(fresh)
                loop.call_soon_threadsafe(begin, fresh)
                if failure is not None:
                    loop.call_soon_threadsafe(server.stop)
            if not under_way:
                break
            request, task = finished.get()
            under_way -= 1
            if task.cancelled():
                continue
            if (error := task.exception()) is None:
                yield request, task.result()
            elif isinstance(error, Refused) and tolerated(error):
                yield request, error
            elif failure is None:
                failure = error
                loop.call_soon_threadsafe(server.stop)
    if failure is not None:
        raise failure


async def _end(cleanup: Callable[[], Coroutine[Any, Any, None]] | None) -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if cleanup is not None:
        await cleanup()
