"""Writing weights so that a refusal by the operating system is told like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossin.core.files import writing


@contextmanager
def writing_weights(path: Path) -> Iterator[None]:
    """`core.files.writing` where safetensors writes, which wraps the system's error in one of its own."""
    from safetensors import SafetensorError

    with writing(path):
        try:
            yield
        except SafetensorError as error:
            raise OSError(str(error)) from error
