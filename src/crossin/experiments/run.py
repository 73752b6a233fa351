"""An experiment from its file to its results."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import check_writable, make_folder, write_text, writing
from crossin.core.formats import MANIFEST
from crossin.core.locks import lock
from crossin.core.paths import as_path
from crossin.core.results import Tabular
from crossin.core.stages import Stage
from crossin.experiments.config import ExperimentConfig, read_config
from crossin.experiments.grid import languages_asked
from crossin.experiments.index import INDEX, Arm, ArmRun, Index, read_index, write_index
from crossin.experiments.jobs import STAGES, Job
from crossin.experiments.kinds import run_job
from crossin.experiments.plan import Plan, PlannedRun, plan_of
from crossin.experiments.results import ExperimentResults, write_results

SETTINGS = "experiment.yaml"


@dataclass(frozen=True, repr=False)
class Experiment(Tabular):
    """A finished experiment: its results, and why jobs failed, by their title."""

    out: Path
    results: ExperimentResults
    failures: dict[str, str]

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"Experiment({self.results!r}{failed}, folder={str(self.out)!r})"

    def to_arrow(self) -> Any:
        """A row for each figure (docs/experiment-results.md)."""
        return self.results.to_arrow()


def experiment(
    config: ExperimentConfig | Mapping[str, Any] | Path | str,
    out: Path | str,
    *,
    tiny: bool = False,
    only: Sequence[str] = (),
    seeds: Sequence[int] = (),
    processes: int = 1,
    runner: Runner = "local",
    rank: int = 0,
    world_size: int = 1,
    watch: Watch = unwatched,
    **given: Any,
) -> Experiment:
    """Run every arm with every seed in the folder `out`, and write the results there.

    config: the settings, their entries, a YAML file, or an example's name (`crossin examples`). tiny: with
    the changes of its entry `tiny`. only: these arms and the baseline. seeds: in place of the file's.
    processes: how many jobs run at once on this machine. runner: `ray` makes each job a task of a Ray
    cluster that shares the folder. rank, world_size: this process's number among several that work in the
    folder. watch: gets what happens as it happens. given: changes to the entries of `config`.

    A job whose result is there is not run again, whichever arm or earlier run made it; one that was
    interrupted resumes. Where a job fails, the others go on, and the results are of the arms that finished.
    Raises CrossinError for settings that are wrong, before anything is run, and where all arms fail.
    """
    out = as_path(out).absolute()
    plan, tiny_or_not = planned(config, given, tiny=tiny, only=only, seeds=seeds)
    check_out(out)
    with _locked(out, shared=world_size > 1):
        write_text(out / SETTINGS, tiny_or_not)
        _write_index(plan, out, {})
        outcome = run_jobs(
            plan.jobs,
            out,
            run_job,
            processes=processes,
            runner=runner,
            rank=rank,
            world_size=world_size,
            watch=watch,
        )
        return _finished(plan, out, outcome)
