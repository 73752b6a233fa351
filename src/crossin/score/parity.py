"""SeaEval's own figures of its logs, and how far they lie from those it published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.errors import CrossinError
from crossin.files import read_json
from crossin.metrics import seaeval_scores
from crossin.metrics.table import MISSING
from crossin.score.predictions import find_predictions
from crossin.score.seaeval import aligned_table, read_log, seaeval_chances


@dataclass(frozen=True, eq=False)
class Parity:
    """SeaEval's figures of one log, in the shape of its `_score.json`.

    `cells` were asked; for `undetermined` of them SeaEval draws the answer at random, and the figures are
    expected values. `furthest` is the largest difference to the score file beside the log, None where there
    is none.
    """

    file: Path
    scores: dict[str, Any]
    cells: int
    undetermined: int
    furthest: float | None


def parity(paths: Sequence[Path]) -> list[Parity]:
    """SeaEval's figures of logs, or of folders that hold logs.

    Raises CrossinError where a file is no SeaEval log, or a score file holds other figures than ours.
    """
    found = []
    for file in find_predictions(paths):
        if file.is_dir() or file.suffix != ".json":
            raise CrossinError("is no SeaEval log", file=file, fix="leave --seaeval away")
        log = read_log(file)
        table = aligned_table(log)
        scores = seaeval_scores(seaeval_chances(log), table.gold, log.names)
        beside = file.with_name(f"{file.stem}_score.json")
        furthest = _furthest(scores, read_json(beside), beside) if beside.is_file() else None
        undetermined = int((table.answers == MISSING).sum())
        found.append(Parity(file, scores, table.answers.size, undetermined, furthest))
    return found


def _furthest(ours: Any, theirs: Any, file: Path) -> float:
    """The largest difference of two nested dictionaries of the same shape."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return max((_furthest(ours[key], theirs[key], file) for key in ours), default=0.0)
    if isinstance(ours, float) and isinstance(theirs, int | float):
        return abs(ours - theirs)
    raise CrossinError("holds other figures than the log", file=file, fix="check that it belongs to the log")
