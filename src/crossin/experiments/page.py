"""The page of an experiment."""

from __future__ import annotations

from pathlib import Path


def write_experiment_page(out: Path) -> Path:
    """Write `report.html` and `report.json` of the experiment in the folder `out`; returns the page."""
    raise NotImplementedError
