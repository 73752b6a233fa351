"""SeaEval's own figures of its logs, and how far they lie from those it published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.metrics import seaeval_scores
from crossin.scoring.predictions import find_predictions
from crossin.scoring.seaeval import read_log, seaeval_chances


@dataclass(frozen=True, eq=False)
class Parity:
    """SeaEval's figures of one log, in the shape of its `_score.json`.

    `cells` were asked; for `undetermined` of them SeaEval draws the answer at random, and the figures are
    expected values. `furthest` and `mean` are the largest and the mean difference to the score file beside
    the log, None where there is none.
    """

    file: Path
    scores: dict[str, Any]
    cells: int
    undetermined: int
    furthest: float | None
    mean: float | None


def parity(paths: Sequence[Path]) -> list[Parity]:
    """SeaEval's figures of logs, or of folders that hold logs.

    Raises CrossinError where a file is no SeaEval log, or a score file holds other figures than ours.
    """
    found = []
    for file in find_predictions(paths):
        if file.is_dir() or file.suffix != ".json":
            raise CrossinError("is no SeaEval log", file=file, hint="leave --seaeval away")
        log = read_log(file)
        chances = seaeval_chances(log)
        scores = seaeval_scores(chances, log.gold, log.names)
        beside = file.with_name(f"{file.stem}_score.json")
        apart = list(_differences(scores, read_json(beside), beside)) if beside.is_file() else []
        decided = chances.max(axis=2) == 1
        found.append(
            Parity(
                file,
                scores,
                decided.size,
                int((~decided).sum()),
                max(apart, default=None),
                sum(apart) / len(apart) if apart else None,
            )
        )
    return found


def _differences(ours: Any, theirs: Any, file: Path) -> Iterator[float]:
    """How far apart the numbers of two nested dictionaries of the same shape are."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        for key in ours:
            yield from _differences(ours[key], theirs[key], file)
    elif isinstance(ours, float) and isinstance(theirs, int | float):
        yield abs(ours - theirs)
    else:
        raise CrossinError(
            "holds other figures than the log", file=file, hint="check that it belongs to the log"
        )
