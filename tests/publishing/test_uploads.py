"""Uploads to a hub on loopback, which speaks the hub's protocol as far as small files need it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from crossin.cli.main import app
from tests.helpers.errors import refused


class Hub(BaseHTTPRequestHandler):
    """Creates repositories, takes all files inline, and remembers what it was sent."""

    calls: list[tuple[str, dict[str, Any], str]]
    files: dict[str, bytes]

    def do_POST(self) -> None:
        body = self._body().decode()
        self.calls.append((self.path, {}, self.headers.get("Authorization", "")))
        if self.path == "/api/repos/create":
            self.calls[-1] = (self.path, json.loads(body), self.calls[-1][2])
            self._answer({"url": "https://huggingface.co/me/demo"})
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            asked = json.loads(body)["files"]
            modes = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False} for one in asked]
            self._answer({"files": modes})
        else:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            self._answer(
                {"commitUrl": "https://huggingface.co/me/demo/commit/1", "commitOid": "1", "success": True}
            )

    def do_GET(self) -> None:
        self._answer({"id": "me/demo", "sha": "0", "siblings": []})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = b""
        while size := int(self.rfile.readline(), 16):
            parts += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return parts

    def _answer(self, value: dict[str, Any]) -> None:
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    from huggingface_hub import constants

    handler = type("OneHub", (Hub,), {"calls": [], "files": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    yield handler
    server.shutdown()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder as a training leaves it."""
    folder = tmp_path / "run"
    for name in (
        "adapter/adapter_config.json",
        "manifest.json",
        "checkpoints/1/x.bin",
        "usage.sqlite",
        "loss.html",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")
    (tmp_path / "card.md").write_text("# Demo\n")
    return folder


def pushed(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["models", "push", *map(str, arguments)], catch_exceptions=False)


def test_a_dry_run_lists_what_would_be_uploaded(run: Path, tmp_path: Path, hub: type[Hub]) -> None:
    ended = pushed(run, "me/demo", "--card", tmp_path / "card.md", "--dry-run")
    assert ended.exit_code == 0, ended.output
    names = [line.split()[-1] for line in ended.stdout.splitlines()[:-1]]
    assert names == ["README.md", "adapter_config.json", "training.json"]
    assert "nothing was uploaded" in ended.stdout
    assert hub.calls == []


def test_the_files_go_up_as_one_commit_of_a_private_repository(
    run: Path, tmp_path: Path, hub: type[Hub]
) -> None:
    ended = pushed(run, "me/demo", "--card", tmp_path / "card.md")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.strip() == "https://huggingface.co/me/demo/commit/1"
    assert hub.files == {"README.md": b"# Demo\n", "adapter_config.json": b"{}", "training.json": b"{}"}
    created = next(sent for path, sent, _ in hub.calls if path == "/api/repos/create")
    # Versions of the library differ in the name of the field.
    assert created.get("private") is True or created.get("visibility") == "private"
    assert all(key == "Bearer hf_secret" for *_, key in hub.calls)
    assert "hf_secret" not in ended.output


def test_without_a_token_nothing_is_sent(run: Path, hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
    with refused("no token", hint="HF_TOKEN"):
        pushed(run, "me/demo")
    assert hub.calls == []


def test_a_folder_with_nothing_to_upload_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with refused("nothing to upload", file="empty"):
        pushed(tmp_path / "empty", "me/demo", "--dry-run")
    with refused("not a folder"):
        pushed(tmp_path / "gone", "me/demo", "--dry-run")
