"""Errors of the operating system while weights are written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossin.core.files import writing


@contextmanager
def writing_weights(path: Path) -> Iterator[None]:
    """`core.files.writing` for safetensors, which wraps the system's error in one of its own."""
    from safetensors import SafetensorError

    with writing(path):
        try:
            yield
        except SafetensorError as error:
            raise OSError(str(error)) from error
