"""Servers on loopback for tests: an ASGI application in a thread, one that answers with given bytes, and that
of transformers.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from crossin.core.settings import validated
from crossin.servers import ServerSettings


def settings(base_url: str, **more: Any) -> ServerSettings:
    """The settings of a server at this address, read as from a file."""
    return validated(ServerSettings, {"base_url": base_url, **more}, None, "see the docs")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """The base URL of an application that uvicorn serves on a free port."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "uvicorn did not start"
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    finally:
        server.should_exit = server.force_exit = True
        thread.join()


@contextmanager
def transformers_serve(model: Path) -> Iterator[str]:
    """The base URL of `transformers serve` with the model in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "transformers.cli.transformers", "serve", str(model)),
            *("--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"),
        ],
        env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        while True:
            assert process.poll() is None, process.communicate()[0]
            try:
                with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except (URLError, OSError):
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.terminate()
        process.communicate()


@dataclass
class Asked:
    """One request as the server saw it."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Log:
    """What a server saw: all requests, and the most that were open at once."""

    base_url: str = ""
    asked: list[Asked] = field(default_factory=list)
    open: int = 0
    most_open: int = 0

    def prompts(self) -> list[Any]:
        return [asked.body["prompt"] for asked in self.asked if asked.body]


Answering = Callable[[Asked], Awaitable[bytes | AsyncIterator[bytes] | None]]


def response(status: int, body: Any, **headers: str) -> bytes:
    """A whole HTTP response; `body` is text, or is written as JSON."""
    content = (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} Status", f"Content-Length: {len(content)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + content


def completion(text: str = "fine", **more: Any) -> bytes:
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    return response(200, {"choices": [{"text": text, "finish_reason": "stop", **more}], "usage": usage})


@contextmanager
def answering(answer: Answering) -> Iterator[Log]:
    """A server that answers each request with the bytes that `answer` gives, at once or piece by piece, and
    hangs up; with None it hangs up without a word.
    """
    log = Log()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        log.open += 1
        log.most_open = max(log.most_open, log.open)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            content = await reader.readexactly(int(headers.get("content-length", "0")))
            asked = Asked(first.split()[1], headers, json.loads(content) if content else None)
            log.asked.append(asked)
            found = await answer(asked)
            if isinstance(found, bytes):
                writer.write(found)
            elif found is not None:
                async for piece in found:
                    writer.write(piece)
                    await writer.drain()
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            log.open -= 1
            writer.close()

    async def run() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        log.base_url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
        ended.append((asyncio.get_running_loop(), asyncio.Event()))
        ready.set()
        await ended[0][1].wait()
        server.close()

    ready = threading.Event()
    ended: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    ready.wait()
    try:
        yield log
    finally:
        loop, event = ended[0]
        loop.call_soon_threadsafe(event.set)
        thread.join()
