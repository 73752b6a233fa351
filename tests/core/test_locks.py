from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from crossin.core.files import write_text
from crossin.core.formats import CLAIM
from crossin.core.locks import alone_with, is_open, lock
from crossin.core.stages import stage

# As on Windows, which has no fcntl; click is there already, since it looks at the real system.
WINDOWS = """
import sys, click, rich.console, pathlib
sys.modules["fcntl"] = sys.modules["resource"] = None
from crossin.cli.main import run
run(sys.argv[1:])
"""


@pytest.mark.parametrize("arguments", [["--help"], ["compose", "recipe.yaml"], ["nothing"]])
def test_without_file_locks_as_on_windows_every_command_is_one_clear_error(arguments: list[str]) -> None:
    command = [sys.executable, "-c", WINDOWS, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: crossin runs on Linux and macOS only")
    assert "WSL" in ended.stderr and ended.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["compose", "train", "evaluate", "report"])
def test_without_file_locks_the_functions_say_so_too(name: str) -> None:
    code = f"""
import sys, click, rich.console
sys.modules["fcntl"] = None
import crossin
try: crossin.{name}
except Exception as error: print(type(error).__name__, error)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.startswith("CrossinError crossin runs on Linux and macOS only")


def test_the_package_names_the_systems_that_it_runs_on() -> None:
    import tomllib

    from tests.helpers.paths import ROOT

    found = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["classifiers"]
    systems = {one.removeprefix("Operating System :: ") for one in found if one.startswith("Operating")}
    assert systems == {"MacOS", "POSIX :: Linux"}


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOTSUP, errno.EBADF, errno.ENOSYS])
def test_a_file_system_without_locks_goes_unlocked(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(handle: int, operation: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone_with(tmp_path), stage(tmp_path / "out", "compose", {}, {}) as work:
        write_text(work.folder / "a.txt", "a")
    assert (tmp_path / "out" / CLAIM).exists()
    with stage(tmp_path / "out", "compose", {}, {}) as work:
        work.finish(["a.txt"], {})
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "manifest.json"]


def test_a_lock_is_shared_or_alone_and_ends_with_its_handle(tmp_path: Path) -> None:
    first, second = (os.open(tmp_path, os.O_RDONLY) for _ in range(2))
    assert lock(first, shared=True) and lock(second, shared=True)
    assert lock(second) is False
    os.close(first)
    assert lock(second) is True
    os.close(second)


def test_who_waits_for_a_file_that_is_replaced_gets_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    found: list[str] = []
    begun = Event()

    def wait() -> None:
        begun.set()
        with alone_with(path):
            found.append(path.read_text())

    thread = Thread(target=wait)
    with alone_with(path):
        thread.start()
        begun.wait()
        (tmp_path / "b").write_text("new")
        (tmp_path / "b").replace(path)
        handle = os.open(path, os.O_RDONLY)
        assert is_open(handle, path) and found == []
        os.close(handle)
    thread.join()
    assert found == ["new"]
