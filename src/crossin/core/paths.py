"""Paths as users give them: a text or a path, perhaps from their home folder."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TypeGuard


def is_path(value: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether a value can be a path."""
    return isinstance(value, str | os.PathLike)


def from_home(text: str) -> str:
    """A text that may be a path, with `~` as the user's home folder."""
    return str(as_path(text)) if text.startswith("~") else text


def as_path(given: str | os.PathLike[str]) -> Path:
    """The path, with `~` as the user's home folder. A shell leaves `--out=~/runs` and `label=~/model` as they
    are, and Python any path.
    """
    path = Path(given)
    # Without a user of that name it is a file's name.
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def folder_name(file: Path) -> str:
    """The name of a file's folder, also where the path does not have it: `answers.parquet`."""
    return file.absolute().parent.name
