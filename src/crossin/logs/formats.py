"""What a format of logs has to provide; a new one is a module with a `LogFormat` (`crossin.logs.find`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from crossin.logs.answers import LoggedAnswers
from crossin.logs.options import LogOptions

Files = tuple[Path, ...]


@dataclass(frozen=True)
class LogFormat:
    """A format of logs.

    `recognises` judges a file by its name and its first bytes. `runs` puts files together that hold one
    model's answers to one benchmark, in all languages; a single file may stand for its run, whose other files
    lie beside it. `read` reads a run: usually one `LoggedAnswers`. A format that is not `found` in folders
    has to be named.
    """

    recognises: Callable[[Path], bool]
    runs: Callable[[Sequence[Path]], list[Files]]
    read: Callable[[Files, LogOptions], list[LoggedAnswers]]
    found: bool = True


class LogFiles(NamedTuple):
    """The files of one run, and the format that reads them."""

    format: LogFormat
    files: Files


def each_alone(files: Sequence[Path]) -> list[Files]:
    """Every file as a run of its own."""
    return [(file,) for file in files]
