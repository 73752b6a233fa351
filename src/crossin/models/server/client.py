"""An OpenAI-compatible server: many calls at once from a thread of its own, answers given as they come."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crossin.errors import CrossinError
from crossin.extras import require
from crossin.mixing import draw
from crossin.models.server.call import Call, Usage
from crossin.models.server.pace import Pace
from crossin.models.server.refusals import Trouble, read, refusal

if TYPE_CHECKING:
    import httpx2

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Seconds before the second attempt; doubled before each further one.
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0

Answer = dict[str, Any] | Exception | None


@dataclass
class _Run:
    """What the workers of one `ask` share: `sending` are those whose call is with the server just now."""

    key: str | None
    retries: int
    done: SimpleQueue[list[tuple[Call, Answer]]] = field(default_factory=SimpleQueue)
    sending: set[asyncio.Task[Any] | None] = field(default_factory=set)
    stopping: bool = False


@dataclass(frozen=True)
class _Handles:
    """What the caller's thread tells the workers' thread; each returns at once."""

    submit: Callable[[list[tuple[int, Call]]], object]
    stop: Callable[[], object]
    end: Callable[[], object]


class Server:
    """A server by its base URL ("http://localhost:8000/v1"), and the manners with which it is asked.

    At most `concurrency` calls are under way at once. An attempt takes at most `timeout` seconds; a call at
    most `retries` more attempts, and in all no longer than `timeout` and LONGEST_WAIT for each, where waiting
    for a turn under the limits a minute is not counted. The key is read from the environment variable
    `key_variable` when calls are made, and is not kept. `usage` counts what was used.

    Raises CrossinError for a base URL that is none, or that holds a password or a query.
    """

    def __init__(
        self,
        base_url: str,
        *,
        key_variable: str = "OPENAI_API_KEY",
        concurrency: int = 16,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        retries: int = 5,
        timeout: float = 60.0,
        prices: tuple[float, float] | None = None,
    ) -> None:
        self.base_url, self._loopback = _checked(base_url)
        for setting, value in (
            ("concurrency", concurrency),
            ("requests_per_minute", requests_per_minute),
            ("tokens_per_minute", tokens_per_minute),
            ("timeout", timeout),
        ):
            if value is not None and value <= 0:
                raise CrossinError(f"must be above 0, not {value}", field=setting)
        self.key_variable, self.concurrency = key_variable, concurrency
        self.retries, self.timeout = max(0, retries), timeout
        self.usage = Usage(prices)
        self._pace = Pace(requests_per_minute, tokens_per_minute)

    def ask(
        self, calls: Iterable[Call], *, retries: int | None = None
    ) -> Iterator[tuple[Call, dict[str, Any]]]:
        """Each call with the server's answer, in the order in which they are answered.

        `calls` is read as places become free: never more than twice `concurrency` calls are in memory. Once
        a call fails for good, or `calls` does, no new one is sent; those under way are waited for and given
        if they succeed, and then the error is raised: Refused (a CrossinError) for a call. Where the caller
        stops, all connections are closed at once.
        """
        require("openai", "httpx2")
        run = _Run(self._key(), self.retries if retries is None else retries)
        with self._at_work(run) as workers:
            numbered = enumerate(calls)
            under_way, failure = 0, None
            answers: list[tuple[Call, Answer]] = []
            while True:
                # By the handful: waking the other thread for each call would cost a fifth of the speed.
                if failure is None and under_way <= self.concurrency + self.concurrency // 2:
                    fresh: list[tuple[int, Call]] = []
                    try:
                        fresh.extend(islice(numbered, 2 * self.concurrency - under_way))
                    except Exception as error:
                        failure = error
                    under_way += len(fresh)
                    workers.submit(fresh)
                    if failure is not None:
                        workers.stop()
                if not under_way:
                    break
                answers = answers or run.done.get()[::-1]
                answered, answer = answers.pop()
                under_way -= 1
                if isinstance(answer, dict):
                    yield answered, answer
                elif failure is None:
                    failure = answer
                    workers.stop()
            if failure is not None:
                raise failure

    @contextmanager
    def _at_work(self, run: _Run) -> Iterator[_Handles]:
        """Workers in an event loop of their own thread, so that calls go on while the caller is busy."""
        started: Future[_Handles] = Future()

        def work() -> None:
            try:
                asyncio.run(self._work(run, started))
            except BaseException as error:
                # Later on every answer has been given, and nobody waits for how the closing went.
                if not started.done():
                    started.set_exception(error)

        thread = Thread(target=work, name="crossin-server", daemon=True)
        thread.start()
        handles = started.result()
        try:
            yield handles
        finally:
            handles.end()
            thread.join()

    async def _work(self, run: _Run, started: Future[_Handles]) -> None:
        import httpx2

        loop = asyncio.get_running_loop()
        waiting: asyncio.Queue[tuple[int, Call]] = asyncio.Queue()
        ended = asyncio.Event()
        answered: list[tuple[Call, Answer]] = []

        def deliver(call: Call, answer: Answer) -> None:
            """Hand over what this turn of the loop brings together."""
            if not answered:
                loop.call_soon(hand_over)
            answered.append((call, answer))

        def hand_over() -> None:
            run.done.put(answered.copy())
            answered.clear()

        def submit(calls: list[tuple[int, Call]]) -> None:
            for call in calls:
                waiting.put_nowait(call)

        async def worker() -> None:
            while True:
                number, call = await waiting.get()
                answer: Answer = None
                try:
                    answer = await self._answer(client, run, number, call)
                except Exception as error:
                    # Whatever it is, it is the caller's to hear; a lost answer would hang him.
                    answer = error
                finally:
                    deliver(call, answer)

        def stop() -> None:
            """Drop what is not with the server just now, such as calls that wait for another attempt."""
            run.stopping = True
            while not waiting.empty():
                deliver(waiting.get_nowait()[1], None)
            for task in workers:
                if task not in run.sending:
                    task.cancel()

        # A server of this machine is not asked through a proxy.
        async with httpx2.AsyncClient(
            headers={"Authorization": f"Bearer {run.key}"} if run.key else {},
            timeout=self.timeout,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=self.concurrency),
            trust_env=not self._loopback,
        ) as client:
            workers = [asyncio.create_task(worker()) for _ in range(self.concurrency)]
            started.set_result(
                _Handles(
                    submit=lambda calls: loop.call_soon_threadsafe(submit, calls),
                    stop=lambda: loop.call_soon_threadsafe(stop),
                    end=lambda: loop.call_soon_threadsafe(ended.set),
                )
            )
            await ended.wait()
            for task in workers:
                task.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _answer(self, client: httpx2.AsyncClient, run: _Run, number: int, call: Call) -> dict[str, Any]:
        """The answer to a call, after as many attempts as it takes; raises Refused where none came."""
        content = json.dumps(call.body).encode()
        deadline = monotonic() + (self.timeout + LONGEST_WAIT) * (run.retries + 1)
        attempt = 0
        while True:
            deadline += await self._pace.admit(call.tokens)
            run.sending.add(asyncio.current_task())
            try:
                result = await self._attempt(client, run.key, call.path, content, deadline - monotonic())
            finally:
                run.sending.discard(asyncio.current_task())
            if isinstance(result, dict):
                self._pace.correct(self.usage.add(result) - call.tokens)
                return result
            wait = result.wait + _back_off(number, attempt)
            late = monotonic() + wait > deadline
            if not result.again or late or attempt == run.retries or run.stopping:
                break
            if result.wait:
                self._pace.pause(result.wait)
            self.usage.retries += 1
            attempt += 1
            await asyncio.sleep(wait)
        if result.again:
            asked = f", and asks to wait {result.wait:.0f} s" if late and result.wait else ""
            result = Trouble(f"{result.what}{asked} (attempt {attempt + 1})", result.status)
        raise refusal(
            result,
            server=self.base_url,
            name=call.name,
            key_variable=self.key_variable,
            keyed=run.key is not None,
            model=str(call.body.get("model")),
            models=await self._models(client) if result.status == 404 else None,
        )

    async def _attempt(
        self, client: httpx2.AsyncClient, key: str | None, path: str, content: bytes, left: float
    ) -> dict[str, Any] | Trouble:
        import httpx2

        seconds = min(self.timeout, left)
        try:
            # The client's own timeout is one between bytes: a server that drips would never end it.
            async with asyncio.timeout(seconds):
                response = await client.post(
                    f"{self.base_url}/{path}",
                    content=content,
                    headers={"Content-Type": "application/json"},
                )
        except (TimeoutError, httpx2.TimeoutException):
            return Trouble(f"no answer within {seconds:.3g} s")
        except httpx2.ConnectError:
            return Trouble("no connection")
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return Trouble(f"the connection broke off ({type(error).__name__})")
        return read(response.status_code, response.headers, response.content, key)

    async def _models(self, client: httpx2.AsyncClient) -> list[str] | None:
        """The models that the server lists; None where it does not answer."""
        import httpx2

        try:
            async with asyncio.timeout(self.timeout):
                response = await client.get(f"{self.base_url}/models")
            return [str(model["id"]) for model in response.json()["data"]]
        except (TimeoutError, httpx2.HTTPError, ValueError, KeyError, TypeError):
            return None

    def _key(self) -> str | None:
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            return None
        if not key.isascii() or not key.isprintable():
            # What the HTTP client would say of it quotes it.
            raise CrossinError(
                f"the environment variable {self.key_variable} holds what cannot be a key",
                fix="set it to the key alone, without quotes or line breaks",
            )
        return key


def _back_off(number: int, attempt: int) -> float:
    """Seconds before another attempt: doubled each time, and different for each call (the half of it up to
    the whole), so that calls that failed together do not come back together.
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * float(2**attempt))
    return longest * (0.5 + draw("back-off", str(number), str(attempt)) / 2**65)


def _checked(base_url: str) -> tuple[str, bool]:
    """A base URL without its last slash, and whether it is one of this machine."""
    fix = "give it as in http://localhost:8000/v1"
    try:
        parts = urlsplit(base_url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise CrossinError("the base URL is no URL", field="base_url", fix=fix) from None
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        # Not quoted: it may hold a secret.
        raise CrossinError(
            "the base URL holds a password, a query or a fragment",
            field="base_url",
            fix=f"{fix}; a key comes from the environment alone",
        )
    if parts.scheme not in ("http", "https") or not host:
        raise CrossinError(f"'{base_url}' is no base URL", field="base_url", fix=fix)
    return base_url.strip().rstrip("/"), host in _LOOPBACK or host.startswith("127.")
