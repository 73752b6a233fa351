"""How a command ends on Ctrl-C (SIGINT) and on SIGTERM: what it says, and its exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from threading import current_thread, main_thread
from types import FrameType

from crossin.core.interrupts import STOPPING, Stopped, write_line

# The first signal that arrived.
_received: int | None = None


def watch_signals() -> None:
    """Make the first signal to stop an exception in the main thread, so that the command can clean up.

    A second Ctrl-C ends the process at once. Signals that are ignored, as in background jobs, stay ignored.
    """
    _handle(_stop)


def leave_at_once() -> None:
    """From here on a signal ends the process at once: the command has ended, and Python clears up."""
    _handle(lambda number, _frame: os._exit(128 + number))


def received() -> int | None:
    """The signal that the process was asked to stop by, if it was."""
    return _received


def end_stopped(error: BaseException | None) -> int:
    """Say what an interrupted command has saved; returns the exit code: 128 and the signal's number."""
    number = _received or (error.number if isinstance(error, Stopped) else signal.SIGINT)
    # Of the processes of torchrun, one speaks.
    if os.environ.get("RANK", "0") == "0":
        print("; ".join(["stopped", *_saved(error)]), file=sys.stderr)
    return 128 + number


def _handle(handler: Callable[[int, FrameType | None], None]) -> None:
    if current_thread() is main_thread():
        for number in STOPPING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, handler)


def _saved(error: BaseException | None) -> list[str]:
    """What an interrupt or its cause says of what was saved."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    if error is None:
        return []
    # From the inside out: the stage's own word comes last.
    return list(reversed(getattr(error, "__notes__", []))) or ["nothing was saved"]


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    global _received
    if _received is None:
        _received = number
        raise Stopped(number)
    # Launchers send SIGTERM after Ctrl-C: only a second Ctrl-C is a person's.
    if number == signal.SIGINT:
        write_line("stopped at once")
        os._exit(128 + number)
