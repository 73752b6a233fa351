"""A server on loopback that shows a run's folder to whoever has its address.

Other programs and web pages can connect to loopback, too. So the address has a random token; a request whose
Host is not ours is refused, since a web page could reach the server under a name of its own (DNS rebinding);
only some kinds of files inside the folder are shown; and a page of the folder runs in a sandbox, where it can
read neither the index nor another file.
"""

from __future__ import annotations

import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from crossin.core.errors import CrossinError
from crossin.core.paths import as_path
from crossin.viewing.files import HTML, TYPES, index_page, live_page, shown_file

_LOOPBACK = "127.0.0.1"
_NOTHING = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
# A page's own policy applies, too.
_OF_PAGES = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "sandbox allow-scripts allow-downloads allow-modals allow-popups allow-popups-to-escape-sandbox"
)
_POLICIES = {HTML: _OF_PAGES, ".svg": f"{_NOTHING}; sandbox"}
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class _Answer(NamedTuple):
    status: HTTPStatus
    content: bytes
    kind: str = "text/plain; charset=utf-8"
    policy: str = _NOTHING
    more: tuple[tuple[str, str], ...] = ()


class FolderServer(ThreadingHTTPServer):
    """Shows a folder at `url` once `serve_forever` is called, until it is closed."""

    def __init__(self, folder: Path | str) -> None:
        """Listen on a free port of loopback. Raises CrossinError where there is no such folder."""
        self.folder = as_path(folder).resolve()
        if not self.folder.is_dir():
            raise CrossinError("is not a folder", file=as_path(folder), hint="name the folder of a run")
        self._token, self._once = secrets.token_urlsafe(32), ""
        self._drawing = Lock()
        super().__init__((_LOOPBACK, 0), _Handler)

    @property
    def url(self) -> str:
        """The address of the index, with the token."""
        return f"http://{_LOOPBACK}:{self.server_port}/{self._token}/"

    def url_to_open(self) -> str:
        """An address that leads to `url` once: all users of a machine see what a browser is started with."""
        self._once = secrets.token_urlsafe(32)
        return f"http://{_LOOPBACK}:{self.server_port}/{self._once}/"

    def answer(self, target: str, hosts: list[str]) -> _Answer:
        """The answer to a request with this target and these Host headers."""
        ours = {f"{name}:{self.server_port}" for name in (_LOOPBACK, "localhost")}
        if len(hosts) != 1 or hosts[0].lower() not in ours:
            return _short(HTTPStatus.FORBIDDEN)
        token, slash, address = target.partition("?")[0].removeprefix("/").partition("/")
        if self._once and _same(token, self._once):
            self._once = ""
            return _short(HTTPStatus.FOUND, ("Location", self.url))
        if not _same(token, self._token):
            return _short(HTTPStatus.NOT_FOUND)
        if not slash:
            return _short(HTTPStatus.FOUND, ("Location", self.url))
        try:
            return self._shown(address)
        except CrossinError as error:
            return _Answer(HTTPStatus.INTERNAL_SERVER_ERROR, str(error).encode())

    def _shown(self, address: str) -> _Answer:
        if not address:
            return _Answer(HTTPStatus.OK, index_page(self.folder).encode(), TYPES[HTML])
        file = shown_file(self.folder, address)
        if file is None:
            return _short(HTTPStatus.NOT_FOUND)
        # The library that draws is used by one request at a time.
        with self._drawing:
            drawn = live_page(file)
        if drawn is None and not file.is_file():
            return _short(HTTPStatus.NOT_FOUND)
        try:
            content = file.read_bytes() if drawn is None else drawn.encode()
        except OSError:
            return _short(HTTPStatus.NOT_FOUND)
        return _Answer(HTTPStatus.OK, content, TYPES[file.suffix], _POLICIES.get(file.suffix, _NOTHING))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is not an error."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: FolderServer
    # Seconds. A browser opens connections that it may never use.
    timeout = 60

    def do_GET(self) -> None:
        self._send(self._answer())

    def do_HEAD(self) -> None:
        self._send(self._answer(), head=True)

    def version_string(self) -> str:
        return "crossin"

    def log_message(self, *_: Any) -> None:
        """Write no log: it would hold the token."""

    def send_error(self, code: int, *_: Any, **__: Any) -> None:
        """What is wrong with a request before it is read: a method that there is not, too long a line."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            self._send(_short(HTTPStatus.METHOD_NOT_ALLOWED, ("Allow", "GET, HEAD")))
        else:
            self._send(_short(HTTPStatus(code)))

    def _answer(self) -> _Answer:
        return self.server.answer(self.path, self.headers.get_all("Host", []))

    def _send(self, answer: _Answer, *, head: bool = False) -> None:
        self.close_connection = True
        self.send_response(answer.status)
        about = {
            "Content-Type": answer.kind,
            "Content-Length": str(len(answer.content)),
            "Content-Security-Policy": answer.policy,
        }
        for name, value in {**about, **_HEADERS, **dict(answer.more)}.items():
            self.send_header(name, value)
        self.end_headers()
        if not head:
            self.wfile.write(answer.content)


def _short(status: HTTPStatus, *more: tuple[str, str]) -> _Answer:
    return _Answer(status, f"{status.phrase}\n".encode(), more=more)


def _same(given: str, secret: str) -> bool:
    return secrets.compare_digest(given.encode(), secret.encode())
