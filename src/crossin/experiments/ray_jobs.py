"""Jobs as tasks of a Ray cluster, whose machines share the experiment's folder."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from crossin.core.cluster import ray_cluster
from crossin.core.errors import CrossinError
from crossin.core.interrupts import RESUMES, add_note
from crossin.experiments.board import Board
from crossin.experiments.execution import RunJob, execute
from crossin.experiments.jobs import Job
from crossin.experiments.watching import JobEvent

# How often a job is run again whose worker or machine was lost.
_RETRIES = 3
# Seconds between two looks at the events.
_LOOKS = 0.5


class _Events:
    """The events of the tasks, until this process asks for them: an actor, which tasks anywhere reach."""

    def __init__(self) -> None:
        self._events: list[JobEvent] = []

    def put(self, event: JobEvent) -> None:
        self._events.append(event)

    def drain(self) -> list[JobEvent]:
        found, self._events = self._events, []
        return found


def run_on_ray(board: Board, out: Path, run_job: RunJob, cpus: float) -> None:
    """Run each job as a task with `cpus` cores and the GPUs that it needs; one whose worker is lost is run
    again, and resumes.
    """
    with ray_cluster():
        import ray
        from ray.exceptions import RayError

        _check_gpus(board.jobs, ray.nodes())
        events = ray.remote(_Events).options(num_cpus=0, max_restarts=-1).remote()
        task = ray.remote(_run)
        tasks: dict[Any, Job] = {}
        try:
            while True:
                while (job := board.take()) is not None:
                    board.watch(JobEvent("progress", job.key, task=_waiting(job), total=1, unit="jobs"))
                    needs = {"num_cpus": cpus, "num_gpus": job.gpus, "max_retries": _RETRIES}
                    named = task.options(**needs, name=job.title)
                    tasks[named.remote(job, out, run_job, events)] = job
                if not tasks:
                    return
                done, _ = ray.wait(list(tasks), timeout=_LOOKS)
                # They are for people: a lost machine may take some with it.
                with suppress(RayError):
                    for event in ray.get(events.drain.remote()):
                        board.watch(event)
                for reference in done:
                    board.settle(_result(reference, tasks.pop(reference)))
        except BaseException as error:
            for reference in tasks:
                ray.cancel(reference)
            # A training saves a checkpoint.
            ray.wait(list(tasks), num_returns=len(tasks))
            if isinstance(error, KeyboardInterrupt):
                add_note(error, RESUMES)
            raise


def _run(job: Job, out: Path, run_job: RunJob, events: Any) -> JobEvent:
    """The task: run a job, in the process of a worker."""
    return execute(job, out, run_job, lambda event: events.put.remote(event))


def _result(reference: Any, job: Job) -> JobEvent:
    import ray
    from ray.exceptions import RayError, RayTaskError

    try:
        event: JobEvent = ray.get(reference)
    except RayError as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        text = f"its worker was lost {_RETRIES + 1} times: {reason}"
        if isinstance(error, RayTaskError):
            text = f"the task failed: {reason}"
        return JobEvent("failed", job.key, error=text, detail=str(error))
    return event


def _check_gpus(jobs: list[Job], nodes: list[dict[str, Any]]) -> None:
    """Raise CrossinError where no machine has the GPUs of a job, which would wait for ever."""
    most = max((node["Resources"].get("GPU", 0) for node in nodes if node["Alive"]), default=0)
    for job in jobs:
        if job.gpus > most:
            raise CrossinError(
                f"'{job.title}' needs {job.gpus:g} GPUs, and the machines of the Ray cluster have "
                f"{most:g} at most",
                field="resources.gpu",
                hint="start machines with as many, or ask for fewer",
            )


def _waiting(job: Job) -> str:
    return "waiting for a GPU" if job.gpus else "waiting for a worker"
