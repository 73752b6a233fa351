"""An experiment from its file to its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin import __version__
from crossin.core.cluster import Runner
from crossin.core.errors import CrossinError
from crossin.core.examples import named_file
from crossin.core.files import check_writable, read_json, write_text
from crossin.core.formats import MANIFEST
from crossin.core.inputs import hashes_of
from crossin.core.paths import as_path, is_path
from crossin.core.results import Tabular
from crossin.core.stages import Stage, check_rank, fingerprint, locked
from crossin.experiments.board import JobFailure, JobsOutcome
from crossin.experiments.config import ExperimentConfig, of_file, read_config
from crossin.experiments.grid import languages_asked
from crossin.experiments.index import INDEX, Arm, ArmRun, Index, read_index, write_index
from crossin.experiments.jobs import STAGES
from crossin.experiments.kinds import run_job
from crossin.experiments.plan import ExperimentPlan, PlannedArm, plan_of
from crossin.experiments.results import WRITTEN, ExperimentResults, read_results, write_results
from crossin.experiments.scheduling import run_jobs
from crossin.experiments.watching import Watch, unwatched

if TYPE_CHECKING:
    import pyarrow

# The settings that a folder's results are of.
SETTINGS = "experiment.yaml"
_LISTED = (INDEX, SETTINGS, *WRITTEN)


@dataclass(frozen=True, repr=False)
class Experiment(Tabular):
    """An experiment that was run. `results` are None where other processes are still at work. `failures`: why
    jobs failed, by their title.
    """

    out: Path
    results: ExperimentResults | None
    failures: dict[str, JobFailure]

    def __repr__(self) -> str:
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"Experiment({self.results!r}{failed}, folder={str(self.out)!r})"

    def to_arrow(self) -> pyarrow.Table:
        """A row for each figure (docs/experiment-results.md)."""
        if self.results is None:
            raise CrossinError("not finished", file=self.out, hint="wait for the other processes")
        return self.results.to_arrow()


def planned(
    config: ExperimentConfig | Mapping[str, Any] | Path | str,
    given: Mapping[str, Any] | None = None,
    *,
    tiny: bool = False,
    only: Sequence[str] = (),
) -> ExperimentPlan:
    """The jobs of an experiment; arguments as in `experiment`. Nothing is made or written."""
    settings, folder = read_config(config, given, tiny=tiny)
    try:
        return plan_of(settings, folder, tiny=tiny, only=only)
    except CrossinError as error:
        file = named_file("experiment", config) if is_path(config) else None
        raise of_file(error, file, given or {}) from error


def experiment(
    config: ExperimentConfig | Mapping[str, Any] | Path | str | ExperimentPlan,
    out: Path | str,
    *,
    tiny: bool = False,
    only: Sequence[str] = (),
    processes: int = 1,
    runner: Runner = "local",
    rank: int = 0,
    world_size: int = 1,
    watch: Watch = unwatched,
    **given: Any,
) -> Experiment:
    """Run every arm with every seed in the folder `out`, and write the results there.

    config: the settings, their entries, a YAML file, an example's name (`crossin examples`), or what
    `planned` gives. tiny: with the changes of its entry `tiny`. only: these arms and the baseline. processes:
    how many jobs run at once on this machine. runner: `ray` makes each job a task of a Ray cluster that
    shares the folder. rank, world_size: this process's number among several that work in the folder. watch:
    gets what happens, as it happens. given: changes to the entries of `config`.

    A job whose result is there is not run again, whichever arm or earlier run made it; one that was
    interrupted resumes. Where a job fails, the others go on, and the results are of the arms that finished.
    Raises CrossinError for settings that are wrong, before anything is run, and where no arm finishes.
    """
    out = as_path(out).absolute()
    check_rank(rank, world_size)
    plan = config if isinstance(config, ExperimentPlan) else planned(config, given, tiny=tiny, only=only)
    check_out(out)
    if is_finished(plan, out):
        return Experiment(out, read_results(out), {})
    with locked(out, shared=world_size > 1, what="this experiment"):
        # Results that it lists are about to be replaced.
        (out / MANIFEST).unlink(missing_ok=True)
        write_text(out / SETTINGS, _as_yaml(plan))
        write_index(out, index_of(plan, out))
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
        return _finish(plan, out, outcome)


def check_out(out: Path) -> None:
    """Raise CrossinError where no experiment can be run in the folder `out`: it holds something else, or
    results of another version.
    """
    check_writable(out)
    if (out / INDEX).exists():
        read_index(out)
    elif out.is_dir() and any(path.name != STAGES for path in out.iterdir() if path.name != SETTINGS):
        raise CrossinError(
            "this folder is not empty and holds no experiment",
            file=out,
            hint="choose another folder with --out",
        )


def index_of(plan: ExperimentPlan, out: Path, outcome: JobsOutcome | None = None) -> Index:
    """The index of an experiment's folder as it is now."""

    def arm(one: PlannedArm) -> Arm:
        runs, failed = [], {}
        for run in one.runs:
            failures = [outcome.first_failure(job.key) for job in run.jobs] if outcome else []
            if reasons := [failure.error for failure in failures if failure is not None]:
                failed[run.seed] = reasons[0]
            elif all((job.folder(out) / MANIFEST).is_file() for job in run.answers.values()):
                answers = {bench: job.folder(out) for bench, job in run.answers.items()}
                training = None if run.training is None else run.training.folder(out)
                runs.append(ArmRun(run.seed, answers, training))
        return Arm(one.spec.name, one.spec.axes, tuple(runs), failed)

    config = plan.config
    return Index(
        config.name,
        config.baseline,
        config.pivot,
        tuple(languages_asked([one.spec for one in plan.arms])),
        {name: list(axis.values) for name, axis in config.axes.items()},
        tuple(map(arm, plan.arms)),
    )


def _finish(plan: ExperimentPlan, out: Path, outcome: JobsOutcome) -> Experiment:
    """Write index, results and manifest, once all jobs are finished or have failed."""
    index = index_of(plan, out, outcome)
    failures = {job.title: outcome.failed[job.key] for job in plan.jobs if job.key in outcome.failed}
    if outcome.left:
        # The last one may have written its index by now, and this one knows less.
        return Experiment(out, None, failures)
    write_index(out, index)
    if not any(arm.runs for arm in index.arms):
        title, failure = next(iter(failures.items()))
        raise CrossinError(
            f"no arm finished; {title}: {failure.error}", file=out, hint="repair that, and run again"
        )
    results = write_results(out)
    if not failures:
        _write_manifest(plan, out)
    return Experiment(out, results, failures)


def is_finished(plan: ExperimentPlan, out: Path) -> bool:
    """Whether the folder holds these results already; then nothing in it is written again."""
    if not (out / MANIFEST).is_file():
        return False
    found = read_json(out / MANIFEST)
    mark = fingerprint("experiment", _settings(plan), {})
    return bool(found.get("fingerprint") == mark and found.get("outputs") == hashes_of(out, _outputs(out)))


def _write_manifest(plan: ExperimentPlan, out: Path) -> None:
    counts = {"arms": len(plan.arms), "seeds": len(plan.config.seeds), "jobs": len(plan.jobs)}
    Stage(out, "experiment", _settings(plan), {}).finish(_outputs(out), counts)


def _settings(plan: ExperimentPlan) -> dict[str, Any]:
    """All that decides the results: the jobs' keys hold their settings and inputs."""
    entries = plan.config.model_dump(mode="json", exclude={"tiny"})
    return {**entries, "jobs": [job.key for job in plan.jobs]}


def _outputs(out: Path) -> list[str]:
    return [name for name in _LISTED if (out / name).is_file()]


def _as_yaml(plan: ExperimentPlan) -> str:
    import yaml

    entries = plan.config.model_dump(mode="json", exclude_unset=True, exclude={"tiny"})
    head = f"# The settings of these results, by crossin {__version__}.\n"
    return head + str(yaml.safe_dump(entries, sort_keys=False, allow_unicode=True))
