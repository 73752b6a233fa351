"""The server of a folder, by real sockets on loopback."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from crossin.training.loss_page import losses_page
from crossin.training.record import log_writer
from crossin.viewing.server import FolderServer
from tests.helpers.errors import refused
from tests.training.test_loss_page import made_lines


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "report.html").write_text("<p>the page</p>")
    (folder / "report.json").write_text("{}")
    (folder / "plot.svg").write_text("<svg/>")
    (tmp_path / "secret.html").write_text("secret")
    return folder


@pytest.fixture
def server(root: Path) -> Iterator[FolderServer]:
    with FolderServer(root) as made:
        thread = Thread(target=made.serve_forever)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def asked(server: FolderServer, request: str) -> tuple[HTTPResponse, bytes]:
    """The response to the lines of a request, and its body."""
    with socket.create_connection(("127.0.0.1", server.server_port)) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode() + b"\r\n\r\n")
        response = HTTPResponse(connection, method=request.split()[0])
        response.begin()
        return response, response.read()


def got(
    server: FolderServer,
    end: str = "",
    *,
    token: str | None = None,
    host: str | None = None,
    method: str = "GET",
) -> tuple[HTTPResponse, bytes]:
    """The response to a request for the file at the end of the address."""
    token = path_of(server) if token is None else token
    host = f"127.0.0.1:{server.server_port}" if host is None else host
    return asked(server, f"{method} {token}{end} HTTP/1.1\nHost: {host}")


def path_of(server: FolderServer) -> str:
    return urlsplit(server.url).path


def test_it_listens_on_loopback_alone_and_each_server_has_its_own_token(root: Path) -> None:
    with FolderServer(root) as one, FolderServer(root) as other:
        assert one.server_address[0] == "127.0.0.1"
        tokens = [path_of(server).strip("/") for server in (one, other)]
    assert tokens[0] != tokens[1]
    assert all(len(token) >= 43 for token in tokens)


def test_the_index_and_the_files_are_served_with_their_types(server: FolderServer) -> None:
    response, body = got(server)
    assert response.status == 200 and b'<a href="report.html">' in body
    for name, kind, content in (
        ("report.html", "text/html; charset=utf-8", b"<p>the page</p>"),
        ("report.json", "application/json; charset=utf-8", b"{}"),
        ("plot.svg", "image/svg+xml", b"<svg/>"),
        ("report.html?x=1", "text/html; charset=utf-8", b"<p>the page</p>"),
    ):
        response, body = got(server, name)
        assert (response.status, response.getheader("Content-Type"), body) == (200, kind, content)


def test_head_has_the_headers_alone(server: FolderServer) -> None:
    response, body = got(server, "report.html", method="HEAD")
    assert (response.status, response.getheader("Content-Length"), body) == (200, "15", b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"])
def test_no_other_method_is_answered(server: FolderServer, method: str) -> None:
    response, body = got(server, method=method)
    assert (response.status, response.getheader("Allow")) == (405, "GET, HEAD")
    assert b"report" not in body


@pytest.mark.parametrize(
    "token",
    [
        "/",
        "/x/",
        "//",
        "/report.html",
        "/{half}/",
        "/{token}x/",
        "/x/../{token}/",
        "http://evil/{token}/",
        "*",
    ],
)
def test_without_the_token_nothing_is_found(server: FolderServer, token: str) -> None:
    mine = path_of(server).strip("/")
    for end in ("", "report.html"):
        response, body = got(server, end, token=token.format(token=mine, half=mine[:20]))
        assert response.status == 404
        assert b"page" not in body and mine.encode() not in body


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "localhost", "127.0.0.1:1", "", "localhost.:{port}"],
)
def test_another_host_is_refused_even_with_the_token(server: FolderServer, host: str) -> None:
    response, body = got(server, host=host.format(port=server.server_port))
    assert response.status == 403
    assert b"report" not in body


def test_a_request_without_a_host_or_with_two_is_refused(server: FolderServer) -> None:
    mine = f"Host: 127.0.0.1:{server.server_port}"
    for head in ("", "\nHost: evil.example\n" + mine, f"\n{mine}\n{mine}"):
        assert asked(server, f"GET {path_of(server)} HTTP/1.1{head}")[0].status == 403


def test_localhost_is_ours(server: FolderServer) -> None:
    assert got(server, host=f"LocalHost:{server.server_port}")[0].status == 200


@pytest.mark.parametrize(
    "end", ["../secret.html", "%2e%2e/secret.html", "..%2Fsecret.html", "nothing.html", "."]
)
def test_nothing_outside_of_the_folder_is_found(server: FolderServer, end: str) -> None:
    response, body = got(server, end)
    assert (response.status, body) == (404, b"Not Found\n")


def test_every_response_is_kept_nowhere_and_names_no_referrer(server: FolderServer) -> None:
    responses = [
        got(server)[0],
        got(server, "report.html")[0],
        got(server, "nothing.html")[0],
        got(server, token="/x/")[0],
        got(server, host="evil.example")[0],
        got(server, method="POST")[0],
        asked(server, f"GET /{'x' * 70_000} HTTP/1.1")[0],
    ]
    assert [response.status for response in responses] == [200, 200, 404, 404, 403, 405, 414]
    for response in responses:
        assert response.getheader("X-Content-Type-Options") == "nosniff"
        assert response.getheader("Referrer-Policy") == "no-referrer"
        assert response.getheader("Cache-Control") == "no-store"
        assert (response.getheader("Content-Security-Policy") or "").startswith("default-src 'none';")
        assert "Python" not in (response.getheader("Server") or "")


def test_the_index_may_run_nothing_and_pages_run_in_a_sandbox(server: FolderServer) -> None:
    index, page, drawing = (
        got(server, end)[0].getheader("Content-Security-Policy") or ""
        for end in ("", "report.html", "plot.svg")
    )
    assert "script-src" not in index and "frame-ancestors 'none'" in index
    assert "sandbox allow-scripts" in page and "allow-same-origin" not in page and "connect-src" not in page
    assert drawing.endswith("; sandbox")


def test_an_address_without_its_last_slash_leads_to_the_index(server: FolderServer) -> None:
    response, _ = got(server, token=path_of(server).rstrip("/"))
    assert (response.status, response.getheader("Location")) == (302, server.url)


def test_what_a_browser_is_started_with_leads_to_the_address_once(server: FolderServer) -> None:
    once = urlsplit(server.url_to_open()).path
    assert once != path_of(server)
    assert got(server, token=once, host="evil.example")[0].status == 403
    response, _ = got(server, token=once)
    assert (response.status, response.getheader("Location")) == (302, server.url)
    assert got(server, token=once)[0].status == 404


def test_the_losses_of_a_run_in_progress_are_drawn_from_its_log(server: FolderServer, root: Path) -> None:
    lines = made_lines()[:1]
    (root / "loss.html").write_text("older")
    write = log_writer(root, lines)
    assert got(server, "loss.html")[1].decode() == losses_page("run", lines)
    lines += made_lines()[1:]
    write()
    assert got(server, "loss.html")[1].decode() == losses_page("run", lines)


def test_without_vl_convert_the_losses_say_what_to_install(
    server: FolderServer, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_writer(root, made_lines())
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    response, body = got(server, "loss.html")
    assert response.status == 500 and b"crossin[report]" in body


def test_a_browser_that_hangs_up_is_not_an_error(
    server: FolderServer, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port)):
        pass
    assert got(server)[0].status == 200
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["nowhere", "run/report.html"])
def test_what_is_not_a_folder_is_an_error(root: Path, name: str) -> None:
    with refused("not a folder", file=root.parent / name):
        FolderServer(root.parent / name)
