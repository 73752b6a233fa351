"""The loss by language and component, as a page."""

from __future__ import annotations

from pathlib import Path


def plot(out: Path) -> Path | None:
    """TODO."""
    return None
