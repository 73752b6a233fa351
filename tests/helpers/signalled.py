"""The command line in a process of its own, which gets a signal at the moment that a function is called."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from tests.helpers.apart import run


def crossin(
    *arguments: str | Path, at: str = "", call: int = 1, number: int = signal.SIGINT, group: bool = False
) -> subprocess.CompletedProcess[str]:
    """The command line with these arguments. It gets the signal `number` when the function `at`, as
    `module:name`, is called for the `call`-th time, before the function does its work; with `group`, so do
    the processes that it has begun, as from a terminal or a cluster.
    """
    words = ["crossin", *map(str, arguments)]
    with TemporaryDirectory() as home:
        out, errors = Path(home, "out"), Path(home, "errors")
        status = run(_command, words, str(out), str(errors), at, call, int(number), group)
        return subprocess.CompletedProcess(words, status, out.read_text("utf-8"), errors.read_text("utf-8"))


def _command(words: list[str], out: str, errors: str, at: str, call: int, number: int, group: bool) -> None:
    os.setsid()
    for place, path in ((0, os.devnull), (1, out), (2, errors)):
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.dup2(file, place)
        os.close(file)
    sys.argv = words
    # A job in the background has Ctrl-C switched off, and hands that on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    from crossin.__main__ import main

    if at:
        module, _, name = at.partition(":")
        original = getattr(import_module(module), name)
        patch(f"{module}.{name}", _sending(original, call, number, os.killpg if group else os.kill)).start()
    main()


def _sending(
    original: Callable[..., Any], call: int, number: int, send: Callable[[int, int], None]
) -> Callable[..., Any]:
    calls = 0

    def called(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            send(os.getpid(), number)
            if send is os.killpg:
                # A thread of a library may get it; this one, which handles it, hears of it a moment later.
                time.sleep(2)
        return original(*arguments, **named)

    return called
