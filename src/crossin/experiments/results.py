"""The figures of an experiment: of each arm and seed, over seeds, and as differences to the baseline."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crossin.core.results import Tabular
from crossin.experiments.index import Index
from crossin.metrics.bootstrap import DRAWS

if TYPE_CHECKING:
    import pyarrow

RESULTS = "results.parquet"


@dataclass(frozen=True, eq=False, repr=False)
class ExperimentResults(Tabular):
    """All figures of an experiment, as they are in `results.parquet`."""

    index: Index
    table: pyarrow.Table

    def __repr__(self) -> str:
        return f"ExperimentResults({self.index.name!r}, {len(self.index.arms)} arms, {len(self.table)} rows)"

    def to_arrow(self) -> pyarrow.Table:
        """A row for each figure (docs/experiment-results.md)."""
        return self.table


def write_results(out: Path, *, draws: int = DRAWS, seed: int = 0) -> ExperimentResults:
    """Compute all figures of the experiment in the folder `out` and write `results.parquet`, `table.md`,
    `table.tex` and `table.csv` there. The same answers give the same bytes.
    """
    raise NotImplementedError
