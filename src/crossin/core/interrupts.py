"""Ctrl-C (SIGINT), and the signal by which clusters and containers end a process (SIGTERM)."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType

from crossin.core.formats import CLAIM, USAGE

STOPPING = (signal.SIGINT, signal.SIGTERM)
RESUMES = "the same command resumes from here"


class Stopped(KeyboardInterrupt):
    """The process was asked to stop, by the signal `number`."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@dataclass
class HeldSignal:
    """The signal that is held back; None while there is none."""

    number: int | None = None


@contextmanager
def held_signals(message: str = "") -> Iterator[HeldSignal]:
    """Hold back the first signal to stop, so that the block can end where it can be resumed.

    The signal takes its effect when the block has ended. A second Ctrl-C takes it at once. message: written
    to standard error when a signal is held back. Outside the main thread, which alone gets signals, and for
    signals that are ignored, nothing changes.
    """
    held = HeldSignal()
    if current_thread() is not main_thread():
        yield held
        return
    before = {number: signal.getsignal(number) for number in STOPPING}

    def hold(number: int, frame: FrameType | None) -> None:
        if held.number is None:
            held.number = number
            write_line(message)
        elif number == signal.SIGINT:
            # Launchers send SIGTERM after Ctrl-C: only a second Ctrl-C is a person's.
            handler = before[signal.SIGINT]
            if callable(handler):
                handler(number, frame)
            raise Stopped(number)

    try:
        for number, handler in before.items():
            if handler not in (signal.SIG_IGN, None):
                signal.signal(number, hold)
        yield held
    finally:
        for number, handler in before.items():
            if handler is not None:
                signal.signal(number, handler)
    if held.number is not None:
        handler = before[signal.Signals(held.number)]
        # Called, since Ray's workers block the signal itself.
        if callable(handler):
            handler(held.number, None)
        else:
            signal.raise_signal(held.number)


def write_line(text: str) -> None:
    """Write a line to standard error from a handler of signals, where files with buffers must not be used."""
    if text:
        with contextlib.suppress(OSError):
            os.write(2, f"\n{text}\n".encode())


def has_saved(folder: Path) -> bool:
    """Whether a folder holds anything to resume from: more than a claim and counts."""
    return any(path.is_file() and path.name not in (CLAIM, USAGE) for path in folder.rglob("*"))


@contextmanager
def saying_what_was_saved(folder: Path) -> Iterator[None]:
    """Add to an interrupt that the same command resumes, where the folder holds anything to resume from."""
    try:
        yield
    except KeyboardInterrupt as stopped:
        if has_saved(folder):
            add_note(stopped, RESUMES)
        raise


def add_note(stopped: BaseException, note: str) -> None:
    """Say with an interrupt what was saved, once."""
    if note not in getattr(stopped, "__notes__", ()):
        stopped.add_note(note)
