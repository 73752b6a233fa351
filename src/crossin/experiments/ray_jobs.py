"""Jobs as tasks of a Ray cluster, whose machines share the experiment's folder."""

from __future__ import annotations

import _thread
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread
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
# Seconds between two looks at the events, and between two questions whether to stop.
_LOOKS = 0.5


class _Messages:
    """The events of the tasks, until this process asks for them, and whether to stop: an actor, which tasks
    anywhere reach.
    """

    def __init__(self) -> None:
        self._events: list[JobEvent] = []
        self._running: set[str] = set()
        self._stopped = False

    def put(self, event: JobEvent) -> None:
        self._events.append(event)

    def drain(self) -> list[JobEvent]:
        found, self._events = self._events, []
        return found

    def may_run(self, key: str) -> bool:
        """Note that a job runs, unless all are to stop."""
        if not self._stopped:
            self._running.add(key)
        return not self._stopped

    def stop(self) -> set[str]:
        """Stop all jobs: the keys of those that had begun."""
        self._stopped = True
        return self._running


def run_on_ray(board: Board, out: Path, run_job: RunJob, cpus: float) -> None:
    """Run each job as a task with `cpus` cores and the GPUs that it needs; one whose worker is lost is run
    again, and resumes.
    """
    with ray_cluster():
        import ray
        from ray.exceptions import RayError

        _check_gpus(board.jobs, ray.nodes())
        messages = ray.remote(_Messages).options(num_cpus=0, max_restarts=-1).remote()
        task = ray.remote(_run)
        tasks: dict[Any, Job] = {}
        try:
            while True:
                while (job := board.take()) is not None:
                    board.watch(JobEvent("progress", job.key, task=_waiting(job), total=1, unit="jobs"))
                    needs = {"num_cpus": cpus, "num_gpus": job.gpus, "max_retries": _RETRIES}
                    named = task.options(**needs, name=job.title)
                    tasks[named.remote(job, out, run_job, messages)] = job
                if not tasks:
                    return
                done, _ = ray.wait(list(tasks), timeout=_LOOKS)
                # They are for people: a lost machine may take some with it.
                with suppress(RayError):
                    for event in ray.get(messages.drain.remote()):
                        board.watch(event)
                for reference in done:
                    board.settle(_result(reference, tasks.pop(reference)))
        except BaseException as error:
            _stop(tasks, messages)
            if isinstance(error, KeyboardInterrupt):
                add_note(error, RESUMES)
            raise


def _stop(tasks: dict[Any, Job], messages: Any) -> None:
    """Stop the jobs that run, and wait for them: a training saves a checkpoint.

    Not by `ray.cancel`, which ends this process where a task ends at the same moment (Ray 2.60).
    """
    import ray
    from ray.exceptions import RayError

    begun: set[str] = set()
    running = list(tasks)
    while running:
        with suppress(RayError):
            begun |= ray.get(messages.stop.remote())
            running = [reference for reference in running if tasks[reference].key in begun]
        if running:
            _, running = ray.wait(running, num_returns=len(running), timeout=_LOOKS)


def _run(job: Job, out: Path, run_job: RunJob, messages: Any) -> JobEvent:
    """The task: run a job, in the process of a worker."""
    try:
        with _interrupted_on_stop(job, messages):
            return execute(job, out, run_job, lambda event: messages.put.remote(event))
    except KeyboardInterrupt:
        return JobEvent("failed", job.key, error="stopped")


@contextmanager
def _interrupted_on_stop(job: Job, messages: Any) -> Iterator[None]:
    """Interrupt the block, in the main thread, once all jobs are to stop."""
    ended, ending = Event(), Lock()

    def ask() -> None:
        while _may_run(job, messages):
            if ended.wait(_LOOKS):
                return
        with ending:
            if not ended.is_set():
                _thread.interrupt_main()

    if not _may_run(job, messages):
        raise KeyboardInterrupt
    Thread(target=ask, daemon=True).start()
    try:
        yield
    finally:
        with ending:
            ended.set()


def _may_run(job: Job, messages: Any) -> bool:
    import ray
    from ray.exceptions import RayError

    try:
        return bool(ray.get(messages.may_run.remote(job.key)))
    except RayError:
        # The machine of the actor is lost: it starts again on another.
        return True


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
