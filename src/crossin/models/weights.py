"""Writing weights: errors and permissions as for all other files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from crossin.core.files import common_mode, writing


@contextmanager
def writing_weights(folder: Path) -> Iterator[None]:
    """`core.files.writing` for safetensors, which wraps the system's errors in its own, and writes files that
    nobody else may read.
    """
    from safetensors import SafetensorError

    with writing(folder):
        try:
            yield
        except SafetensorError as error:
            raise OSError(str(error)) from error
        for weights in folder.rglob("*.safetensors"):
            # Another rank may remove or replace it now.
            with suppress(FileNotFoundError):
                weights.chmod(common_mode(weights.parent))
