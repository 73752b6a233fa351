"""`crossin view` as a user runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
import webbrowser
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from crossin.viewing.server import FolderServer
from tests.helpers.errors import refused
from tests.helpers.in_process import crossin

# A shell that starts the tests in the background has Ctrl-C ignored, and programs inherit that.
RUN = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("crossin", run_name="__main__")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_well_at_ctrl_c(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "report.html").write_text("the page")
    command = [sys.executable, "-c", RUN, "view", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with build_opener(ProxyHandler({})).open(f"{address}report.html") as page:
            assert page.read() == b"the page"
        process.send_signal(number)
        assert process.wait() == 0
        assert "Ctrl-C" in process.stderr.read()


@pytest.mark.parametrize("given", [[], ["--open"]])
def test_a_browser_is_opened_only_where_it_is_asked_for_and_is_not_given_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    monkeypatch.setattr(FolderServer, "serve_forever", lambda self: None)
    shown = crossin("view", tmp_path, *given).stdout.strip()
    assert len(opened) == len(given)
    token = shown.rstrip("/").rpartition("/")[2]
    assert not any(token in one for one in opened)


def test_a_folder_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    with refused("not a folder", file=tmp_path / "nowhere"):
        crossin("view", tmp_path / "nowhere")
