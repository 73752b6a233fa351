"""Processes of their own that begin where the slow imports are done: forked from a server that has them.

A process that imports transformers anew takes seconds; the tests start hundreds.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from multiprocessing import forkserver, get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from tests.helpers.paths import ROOT

# Nothing of crossin's own: what it does when it is imported, it does in each process.
_SLOW = [
    "torch",
    "transformers.trainer",
    "peft",
    "datasets",
    "scipy.stats",
    "vl_convert",
    "pydantic",
    "click",
    "rich",
]
# A server with threads could not be forked safely.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}


def start(function: Callable[..., object], *arguments: Any) -> BaseProcess:
    """Begin to run a function of a module in a process of its own."""
    # The process finds the helpers by the paths of this one, which pytest does not add the checkout to.
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    context = get_context("forkserver")
    context.set_forkserver_preload(_SLOW)
    with patch.dict(os.environ, _ONE_THREAD):
        forkserver.ensure_running()
    process = context.Process(target=_run, args=(dict(os.environ), Path.cwd(), function, arguments))
    process.start()
    return process


def run(function: Callable[..., object], *arguments: Any) -> int:
    """Run a function in a process of its own, and return the exit status: negative for a signal."""
    process = start(function, *arguments)
    process.join()
    assert process.exitcode is not None
    return process.exitcode


def crossin(
    *arguments: str | Path,
    folder: Path | None = None,
    columns: int | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """The command line with these arguments, in a folder and a terminal of so many columns."""
    words = ["crossin", *map(str, arguments)]
    more = {**({"COLUMNS": str(columns)} if columns else {}), **(env or {})}
    with TemporaryDirectory() as home:
        out, errors = Path(home, "out"), Path(home, "errors")
        status = run(_command, words, str(out), str(errors), folder or Path.cwd(), more)
        return subprocess.CompletedProcess(words, status, out.read_text("utf-8"), errors.read_text("utf-8"))


def _run(environment: dict[str, str], folder: Path, function: Callable[..., object], arguments: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    function(*arguments)


def _command(words: list[str], out: str, errors: str, folder: Path, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in ((0, os.devnull), (1, out), (2, errors)):
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(file, number)
        os.close(file)
    sys.argv = words
    from crossin.cli.main import run

    run()
