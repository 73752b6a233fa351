"""An async client of OpenAI-compatible servers: within limits and a budget, with retries."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.network import certificates
from crossin.servers.accounting import Accounting
from crossin.servers.keys import KeyPlace, key_of
from crossin.servers.requests import ServerRequest, Usage
from crossin.servers.responses import Failure, Refused, hint_for, read_response
from crossin.servers.settings import ServerSettings

if TYPE_CHECKING:
    import httpx2

# Seconds before the second attempt; doubled before each further one.
FIRST_WAIT = 0.5
LONGEST_WAIT = 30.0
# Bytes of an answer: more than any has, and few enough for the memory.
LARGEST = 1 << 26
_BEARER = KeyPlace()


class Server:
    """A connection to a server: `async with Server(settings) as server: await server.request(...)`.

    At most `concurrency` requests are in flight at once; the others wait in order. An attempt takes at most
    `timeout` seconds; a request at most `retries` more attempts, and in all no longer than `timeout` and
    LONGEST_WAIT for each, where waiting for the rate limit is not counted. A server on this machine is not
    reached through a proxy, and redirects are not followed. accounting: what is shared with the other
    processes of a run, or its file. key_place: where the server takes its key.
    """

    def __init__(
        self,
        settings: ServerSettings,
        accounting: Accounting | Path | None = None,
        *,
        key_place: KeyPlace = _BEARER,
    ) -> None:
        self.settings, self._url, self._key_place = settings, settings.url, key_place
        self.accounting = (
            accounting if isinstance(accounting, Accounting) else Accounting(settings, accounting)
        )
        self._client = _client(settings, key_place)
        self._places = asyncio.Semaphore(settings.concurrency)
        self._turn = asyncio.Lock()
        self._waiting: set[asyncio.Task[Any]] = set()
        self._stopped = False
        self._asked_to_wait = 0

    async def __aenter__(self) -> Server:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    @property
    def usage(self) -> Usage:
        """What the run has used so far, in all processes that share the accounting."""
        return self.accounting.usage

    def stop(self) -> None:
        """Cancel the requests that are not with the server now, such as those that wait for another attempt.

        Those in flight end as usual, without another attempt; a new request is cancelled at once.
        """
        self._stopped = True
        for task in self._waiting:
            task.cancel()

    async def request(self, request: ServerRequest) -> dict[str, Any]:
        """The server's answer, after as many attempts as it takes.

        Raises Refused (a CrossinError) where none came, and BudgetSpent where the budget is used up.
        """
        settings = self.settings
        request = request.merged(settings.body)
        cost = settings.cost(request.prompt_tokens, request.completion_tokens) or 0.0
        result = await self._attempts(request, cost)
        if isinstance(result, dict):
            return result
        key, model = settings.key_variable, request.body.get("model")
        models = await self._models() if result.status == 404 and model else None
        raise Refused(
            f"{request.name + ': ' if request.name else ''}{self._url}: {result.message}",
            status=result.status,
            hint=hint_for(result, key, key_of(key) is not None, model and str(model), models),
        )

    async def _attempts(self, request: ServerRequest, cost: float) -> dict[str, Any] | Failure:
        body = self._key_place.with_key(request.body, key_of(self.settings.key_variable))
        content, tokens = json.dumps(body).encode(), request.limit_tokens
        task = asyncio.current_task()
        assert task is not None
        deadline = monotonic() + (self.settings.timeout + LONGEST_WAIT) * (self.settings.retries + 1)
        attempt = 0
        self._waiting.add(task)
        try:
            while True:
                if self._stopped:
                    raise asyncio.CancelledError
                begin = monotonic()
                # A request that waits before another attempt leaves its place to others.
                async with self._places:
                    async with self._turn:
                        await self.accounting.admit(tokens, cost)
                    deadline += monotonic() - begin
                    self._waiting.discard(task)
                    result = await self._attempt(request.path, content, deadline - monotonic())
                    self._waiting.add(task)
                answer = None if isinstance(result, Failure) else result
                self.accounting.settle(answer, tokens, cost, request.billed)
                if isinstance(result, dict):
                    self._asked_to_wait = 0
                    return result
                if not result.temporary:
                    return result
                longest = min(LONGEST_WAIT, FIRST_WAIT * float(2**attempt))
                # Different for each, so that those that failed together do not come back together.
                wait = result.wait + longest * random.uniform(0.5, 1)
                late = monotonic() + wait > deadline
                attempt += 1
                if late or attempt > self.settings.retries or self._stopped:
                    asked = f", and asks to wait {result.wait:.0f} s" if late and result.wait else ""
                    return Failure(f"{result.message}{asked} (attempt {attempt})", result.status)
                if result.wait:
                    self._asked_to_wait += 1
                # One request that has to wait may be an accident; several in a row are a limit for all.
                self.accounting.retry(result.wait if self._asked_to_wait > 1 else 0.0)
                await asyncio.sleep(wait)
        finally:
            self._waiting.discard(task)

    async def _attempt(self, path: str, content: bytes, left: float) -> dict[str, Any] | Failure:
        import httpx2

        seconds = min(self.settings.timeout, left)
        url, headers = f"{self._url}/{path}", {"Content-Type": "application/json"}
        try:
            # The client's own timeout is one between bytes: a server that drips would never end it.
            async with (
                asyncio.timeout(seconds),
                self._client.stream("POST", url, content=content, headers=headers) as response,
            ):
                received = bytearray()
                async for part in response.aiter_bytes():
                    received += part
                    if len(received) > LARGEST:
                        return Failure(f"an answer of more than {LARGEST:,} bytes", temporary=False)
        except (TimeoutError, httpx2.TimeoutException):
            return Failure(f"no answer within {seconds:.3g} s")
        except httpx2.ConnectError:
            return Failure("no connection")
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol):
            return Failure("not an address of a server", temporary=False)
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            return Failure(f"the connection broke off ({type(error).__name__})")
        key = key_of(self.settings.key_variable)
        return read_response(response.status_code, response.headers, bytes(received), key)

    async def _models(self) -> list[str] | None:
        """The models that the server lists; None where it does not answer."""
        import httpx2

        try:
            async with asyncio.timeout(self.settings.timeout):
                response = await self._client.get(f"{self._url}/models")
            return [str(model["id"]) for model in response.json()["data"]]
        except (TimeoutError, httpx2.HTTPError, ValueError, KeyError, TypeError):
            return None


def check_client(settings: ServerSettings) -> None:
    """Raise CrossinError for what would keep any request from being sent, as far as it is known without one:
    no address, no HTTP client, a key that is none.
    """
    require("openai", "httpx2")
    _ = settings.url, key_of(settings.key_variable)


def _client(settings: ServerSettings, key_place: KeyPlace) -> httpx2.AsyncClient:
    require("openai", "httpx2")
    import httpx2

    key, trusted = key_of(settings.key_variable), certificates()
    try:
        return httpx2.AsyncClient(
            headers=key_place.headers(key),
            timeout=settings.timeout,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=settings.concurrency),
            trust_env=not settings.is_local,
            verify=True if trusted is None else trusted,
        )
    except Exception as error:
        # Its message may quote a proxy's password.
        raise CrossinError(
            f"the HTTP client cannot be set up ({type(error).__name__})",
            hint="check the environment variables of proxies and certificates: ALL_PROXY, HTTPS_PROXY, "
            "HTTP_PROXY, REQUESTS_CA_BUNDLE, SSL_CERT_FILE",
        ) from None
