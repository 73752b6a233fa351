"""SeaEval's own figures of its logs, and how far they are from those it published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import read_json
from crossin.logs.seaeval import read_log
from crossin.metrics.seaeval import seaeval_scores
from crossin.scoring.predictions import find_predictions
from crossin.scoring.seaeval import gold_places, seaeval_chances


@dataclass(frozen=True, eq=False)
class Parity:
    """SeaEval's figures of one log, in the shape of its `_score.json`.

    Of its `cells` (items in a language), SeaEval draws the answers of `undetermined` at random; the figures
    are expected values. `furthest` and `mean` are the largest and the mean difference to the score file
    beside the log, None where there is none.
    """

    file: Path
    scores: dict[str, Any]
    cells: int
    undetermined: int
    furthest: float | None
    mean: float | None


def parity(paths: Path | str | Iterable[Path | str]) -> list[Parity]:
    """SeaEval's figures of logs, or of folders that hold logs.

    Raises CrossinError where a file is not a SeaEval log, or a score file holds other figures than ours.
    """
    return [_of_log(file) for file in find_predictions(paths)]


def _of_log(file: Path) -> Parity:
    if file.is_dir() or file.suffix != ".json":
        raise CrossinError("not a SeaEval log", file=file, hint="omit --seaeval")
    log = read_log(file)
    chances = seaeval_chances(log)
    scores = seaeval_scores(chances, gold_places(log), log.names)
    beside = file.with_name(f"{file.stem}_score.json")
    apart = list(_differences(scores, read_json(beside), beside)) if beside.is_file() else []
    decided = chances.max(axis=2) == 1
    undetermined = int((~decided).sum())
    mean = sum(apart) / len(apart) if apart else None
    return Parity(file, scores, decided.size, undetermined, max(apart, default=None), mean)


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
