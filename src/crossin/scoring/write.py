"""`scores.json`: a folder's scores beside its answers, as `crossin score --json` prints them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from crossin.core.files import write_json
from crossin.scoring.scores import Score, Wordings
from crossin.scoring.values import score_values, wordings_values

SCORES = "scores.json"


def all_values(scores: Sequence[Score], varied: Sequence[Wordings]) -> dict[str, Any]:
    """Scores, and what the wording changes, as a JSON value."""
    return {
        "scores": [score_values(one) for one in scores],
        "wordings": [wordings_values(one) for one in varied],
    }


def write_scores(folder: Path, scores: Sequence[Score], varied: Sequence[Wordings]) -> Path:
    """Write the scores of the answers in `folder` there, and return the file."""
    write_json(folder / SCORES, all_values(scores, varied))
    return folder / SCORES
