"""An OpenAI-compatible server: many calls at once from a thread of its own, answers given as they come."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.hashing import hash64
from crossin.servers.call import Call, Usage
from crossin.servers.pace import Pace
from crossin.servers.refusals import Refused, Trouble, read, refusal

if TYPE_CHECKING:
    import httpx2

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
# Seconds before the second attempt; doubled before each further one.
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
# Bytes of an answer: more than any, and less than would fill the memory.
LARGEST = 1 << 26


Answer = dict[str, Any] | BaseException | None


@dataclass
class _Run:
    """One `ask` at work: its event loop, its HTTP client, and the calls under way.

    `sending` are those whose call is with the server just now; `done` is what the caller has not taken yet,
    where a call that was dropped has None.
    """

    loop: asyncio.AbstractEventLoop
    client: httpx2.AsyncClient
    retries: int
    places: asyncio.Semaphore
    # Not shown, since a run may be printed with whatever goes wrong.
    key: str | None = field(repr=False)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    sending: set[asyncio.Task[Any] | None] = field(default_factory=set)
    done: SimpleQueue[tuple[Call, Answer]] = field(default_factory=SimpleQueue)
    stopping: bool = False

    def finish(self, call: Call, task: asyncio.Task[dict[str, Any]]) -> None:
        self.tasks.discard(task)
        self.done.put((call, None if task.cancelled() else task.exception() or task.result()))

    def stop(self) -> None:
        """Drop what is not with the server just now, such as calls that wait for another attempt."""
        self.stopping = True
        for task in self.tasks - self.sending:
            task.cancel()

    async def end(self) -> None:
        """Drop everything, and close the connections."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.client.aclose()


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
            # So that what is no number at all is refused too.
            if value is not None and not value > 0:
                raise CrossinError(f"must be above 0, not {value}", field=setting)
        self.key_variable, self.concurrency = key_variable, concurrency
        self.retries, self.timeout = max(0, retries), timeout
        self.usage = Usage(prices)
        self._asked_to_wait = 0
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
        with closing(self.ask_each(calls, lambda _: False, retries=retries)) as answered:
            for call, answer in answered:
                assert isinstance(answer, dict)
                yield call, answer

    def ask_each(
        self, calls: Iterable[Call], bears: Callable[[Refused], bool], *, retries: int | None = None
    ) -> Generator[tuple[Call, dict[str, Any] | Refused]]:
        """As `ask`, but a call's failure that `bears` says to bear is given in the place of its answer, and
        the others go on.
        """
        numbered = enumerate(calls)
        under_way = 0
        failure: BaseException | None = None
        with self._at_work(self.retries if retries is None else retries) as run:
            while True:
                # By the handful: waking the other thread for each call would cost a fifth of the speed.
                if failure is None and under_way <= 1.5 * self.concurrency:
                    fresh: list[tuple[int, Call]] = []
                    try:
                        fresh.extend(islice(numbered, 2 * self.concurrency - under_way))
                    except Exception as error:
                        failure = error
                    under_way += len(fresh)
                    run.loop.call_soon_threadsafe(self._begin, run, fresh)
                    if failure is not None:
                        run.loop.call_soon_threadsafe(run.stop)
                if not under_way:
                    break
                call, answer = run.done.get()
                under_way -= 1
                borne = failure is None and isinstance(answer, Refused) and bears(answer)
                if isinstance(answer, dict) or (isinstance(answer, Refused) and borne):
                    yield call, answer
                elif failure is None:
                    failure = answer
                    run.loop.call_soon_threadsafe(run.stop)
        if failure is not None:
            raise failure

    @contextmanager
    def _at_work(self, retries: int) -> Iterator[_Run]:
        """An event loop in a thread of its own, so that calls go on while the caller is busy."""
        require("openai", "httpx2")
        import httpx2

        key = self._key()
        try:
            client = httpx2.AsyncClient(
                headers={"Authorization": f"Bearer {key}"} if key else {},
                timeout=self.timeout,
                limits=httpx2.Limits(max_connections=None, max_keepalive_connections=self.concurrency),
                # A server of this machine is not asked through a proxy.
                trust_env=not self._loopback,
            )
        except Exception as error:
            # What it says may quote a proxy's password.
            raise CrossinError(
                f"the HTTP client cannot be set up ({type(error).__name__})",
                hint="look at the environment variables of proxies and certificates: ALL_PROXY, HTTPS_PROXY, "
                "HTTP_PROXY, SSL_CERT_FILE",
            ) from None
        loop = asyncio.new_event_loop()
        run = _Run(loop, client, retries, asyncio.Semaphore(self.concurrency), key)
        thread = Thread(target=loop.run_forever, name="crossin-server", daemon=True)
        thread.start()
        try:
            yield run
        finally:
            # At the end of the interpreter the thread stands still, and waiting for it would never end.
            if not sys.is_finalizing():
                asyncio.run_coroutine_threadsafe(run.end(), loop).result()
                loop.call_soon_threadsafe(loop.stop)
                thread.join()
                loop.close()

    def _begin(self, run: _Run, calls: list[tuple[int, Call]]) -> None:
        for number, call in calls:
            task = run.loop.create_task(self._answer(run, number, call))
            run.tasks.add(task)
            task.add_done_callback(partial(run.finish, call))

    async def _answer(self, run: _Run, number: int, call: Call) -> dict[str, Any]:
        """The answer to a call, after as many attempts as it takes; raises Refused where none came."""
        result = await self._attempts(run, number, call)
        if isinstance(result, dict):
            return result
        raise refusal(
            result,
            server=self.base_url,
            name=call.name,
            key_variable=self.key_variable,
            keyed=run.key is not None,
            model=str(call.body.get("model")),
            models=await self._models(run.client) if result.status == 404 else None,
        )

    async def _attempts(self, run: _Run, number: int, call: Call) -> dict[str, Any] | Trouble:
        content = json.dumps(call.body).encode()
        deadline = monotonic() + (self.timeout + LONGEST_WAIT) * (run.retries + 1)
        attempt = 0
        while True:
            begin = monotonic()
            # A call that waits before another attempt leaves its place to others.
            async with run.places:
                await self._pace.admit(call.tokens)
                deadline += monotonic() - begin
                run.sending.add(asyncio.current_task())
                try:
                    result = await self._attempt(run, call.path, content, deadline - monotonic())
                finally:
                    run.sending.discard(asyncio.current_task())
            if isinstance(result, dict):
                self._asked_to_wait = 0
                self._pace.correct(self.usage.add(result) - call.tokens)
                return result
            if not result.again:
                return result
            wait = result.wait + _back_off(number, attempt)
            late = monotonic() + wait > deadline
            attempt += 1
            if late or attempt > run.retries or run.stopping:
                asked = f", and asks to wait {result.wait:.0f} s" if late and result.wait else ""
                return Trouble(f"{result.what}{asked} (attempt {attempt})", result.status)
            if result.wait:
                # One call that has to wait may be an accident; several in a row are a limit that all meet.
                self._asked_to_wait += 1
                if self._asked_to_wait > 1:
                    self._pace.pause(result.wait)
            self.usage.retries += 1
            await asyncio.sleep(wait)

    async def _attempt(self, run: _Run, path: str, content: bytes, left: float) -> dict[str, Any] | Trouble:
        import httpx2

        seconds = min(self.timeout, left)
        try:
            # The client's own timeout is one between bytes: a server that drips would never end it.
            async with asyncio.timeout(seconds):
                async with run.client.stream(
                    "POST",
                    f"{self.base_url}/{path}",
                    content=content,
                    headers={"Content-Type": "application/json"},
                ) as response:
                    received = bytearray()
                    async for part in response.aiter_bytes():
                        received += part
                        if len(received) > LARGEST:
                            return Trouble(f"an answer of more than {LARGEST:,} bytes", again=False)
        except (TimeoutError, httpx2.TimeoutException):
            return Trouble(f"no answer within {seconds:.3g} s")
        except httpx2.ConnectError:
            return Trouble("no connection")
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
            return Trouble("this is no address of a server", again=False)
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return Trouble(f"the connection broke off ({type(error).__name__})")
        return read(response.status_code, response.headers, bytes(received), run.key)

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
                hint="set it to the key alone, without quotes or line breaks",
            )
        return key


def _back_off(number: int, attempt: int) -> float:
    """Seconds before another attempt: doubled each time, and different for each call (the half of it up to
    the whole), so that calls that failed together do not come back together.
    """
    longest = min(LONGEST_WAIT, FIRST_WAIT * float(2**attempt))
    return longest * (0.5 + hash64("back-off", str(number), str(attempt)) / 2**65)


def _checked(base_url: str) -> tuple[str, bool]:
    """A base URL without its last slash, and whether it is one of this machine."""
    hint = "give it as in http://localhost:8000/v1; a key comes from the environment alone"
    url = base_url.strip()
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    # Never quoted: it may hold a secret.
    if not host or parts.scheme not in ("http", "https"):
        raise CrossinError("the base URL is no URL of a server", field="base_url", hint=hint)
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise CrossinError(
            "the base URL holds a password, a query or a fragment", field="base_url", hint=hint
        )
    return url.rstrip("/"), host in _LOOPBACK or host.startswith("127.")
