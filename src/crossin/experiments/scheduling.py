"""Run the jobs of an experiment: in this process, in several, on a Ray cluster, or as one of many ranks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from crossin.core.cluster import Runner
from crossin.core.errors import CrossinError
from crossin.core.extras import require
from crossin.core.paths import as_path
from crossin.core.stages import check_rank
from crossin.experiments.board import Board, JobsOutcome
from crossin.experiments.estimates import check_space, estimates_of
from crossin.experiments.execution import RunJob, execute
from crossin.experiments.jobs import Job
from crossin.experiments.rates import note_rate
from crossin.experiments.watching import JobEvent, Watch, unwatched


def run_jobs(
    jobs: Sequence[Job],
    out: Path | str,
    run_job: RunJob,
    *,
    processes: int = 1,
    runner: Runner = "local",
    cpus: float = 1,
    rank: int = 0,
    world_size: int = 1,
    watch: Watch = unwatched,
) -> JobsOutcome:
    """Run the jobs, and all that they need, in the experiment's folder `out`.

    run_job: runs one job, or resumes it, or finds it finished; a function of a module where other processes
    call it. processes: how many jobs run at a time on this machine, each in a process of its own that has its
    part of the cores. runner: `ray` makes each job a task of a Ray cluster whose machines share the folder,
    with `cpus` cores and the GPUs that the job needs. rank, world_size: this process is one of those that
    share the folder and the jobs; each calls this function. watch: gets the events, in this thread.

    A job starts once all that it needs is finished, and a failed one stops only what needs it. An interrupt
    stops all: a training saves a checkpoint, and processes are waited for. The files are the same however the
    jobs are run, where each has as many threads. Raises CrossinError where the disk is full, or has less room
    than is known to be needed.
    """
    out = as_path(out).absolute()
    check_running(processes, runner, rank, world_size)
    board = Board.of(jobs, watch)
    check_space(estimates_of(board.jobs, out), out)

    def noting(event: JobEvent) -> None:
        if event.kind == "finished" and event.whole:
            job = next(one for one in board.jobs if one.key == event.key)
            # A cluster's machines are not this one.
            note_rate(job, out, event.seconds, at_once=processes, cache=runner == "local")
        watch(event)

    board.watch = noting
    if runner == "ray":
        from crossin.experiments.ray_jobs import run_on_ray

        run_on_ray(board, out, run_job, cpus)
    elif world_size > 1:
        from crossin.experiments.ranks import run_as_rank

        run_as_rank(board, out, run_job, rank, world_size)
    elif processes > 1:
        from crossin.experiments.processes import run_in_processes

        run_in_processes(board, out, run_job, processes)
    else:
        while (job := board.take()) is not None:
            board.settle(execute(job, out, run_job, board.watch))
    return board.outcome()


def check_running(processes: int, runner: Runner, rank: int, world_size: int) -> None:
    """Raise CrossinError where jobs cannot be run so."""
    if runner not in get_args(Runner):
        raise CrossinError(f"there is no runner '{runner}'", hint="use local, or ray")
    check_rank(rank, world_size)
    if processes < 1:
        raise CrossinError(f"cannot run {processes} jobs at a time", hint="use 1 or more")
    if (processes > 1) + (runner == "ray") + (world_size > 1) > 1:
        raise CrossinError(
            "several processes, a Ray cluster and ranks are three ways to run jobs",
            hint="use one of --jobs, --engine ray and --world-size",
        )
    if runner == "ray":
        require("ray", "ray")
