"""Servers on loopback that speak TLS by a certificate of an authority of their own."""

from __future__ import annotations

import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


@dataclass(frozen=True)
class Authority:
    """A certificate authority, and what it signed for this machine; `folder` holds it as OpenSSL names it."""

    certificate: Path
    folder: Path
    chain: Path
    key: Path


def authority(folder: Path) -> Authority:
    """A new authority, made with the program `openssl`."""

    def openssl(*words: str) -> str:
        found = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True, check=True)
        return found.stdout.strip()

    new = ["-newkey", "rsa:2048", "-nodes", "-days", "2"]
    openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=A test's authority")
    openssl("req", *new, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed)
    hashed = folder / "hashed"
    hashed.mkdir()
    name = openssl("x509", "-in", "ca.pem", "-noout", "-subject_hash")
    (hashed / f"{name}.0").write_bytes((folder / "ca.pem").read_bytes())
    return Authority(folder / "ca.pem", hashed, folder / "server.pem", folder / "server.key")


@dataclass
class Site:
    """What a server holds by path, and what it was asked for."""

    url: str = ""
    files: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


@contextmanager
def tls_site(own: Authority) -> Iterator[Site]:
    """A server of the authority's, over TLS."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            self.rfile.read(length)
            path = unquote(self.path.partition("?")[0])
            site.asked.append(f"{self.command} {path}")
            content, headers = site.files.get(path, (b"not here", {}))
            self.send_response(200 if path in site.files else 404)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = answer

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.chain, own.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    site.url = f"https://localhost:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
