"""Jobs in several processes of this machine, each with its part of the cores.

A process is spawned, and runs one job after another. It has a pipe to this one: jobs go in, events come out.
Whatever ends it closes the pipe; and where this process is killed, the closed pipe stops its job.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread
from types import FrameType

from crossin.core.files import writing
from crossin.core.interrupts import STOPPING, Stopped, add_note
from crossin.experiments.board import Board
from crossin.experiments.execution import RunJob, execute
from crossin.experiments.jobs import Job
from crossin.experiments.watching import JobEvent

# Below the experiment's folder: what a job's process writes to its standard output and error.
LOGS = "logs"
_THREADS = ("OMP_NUM_THREADS", "RAYON_NUM_THREADS")


@dataclass(frozen=True)
class _Interrupted:
    """A process was stopped by a signal; notes say what was saved."""

    name: str
    notes: list[str]


@dataclass(eq=False)
class _Worker:
    """A process, and the job that it runs."""

    process: BaseProcess
    pipe: Connection
    job: Job | None = None


# What a worker sends; None is the end of its pipe.
_Message = tuple[_Worker, JobEvent | _Interrupted | None]


def run_in_processes(board: Board, out: Path, run_job: RunJob, count: int) -> None:
    """Run the jobs in `count` processes."""
    messages: SimpleQueue[_Message] = SimpleQueue()
    workers: list[_Worker] = []
    try:
        while True:
            while len(board.running) < count and (job := board.take()) is not None:
                worker = next((one for one in workers if one.job is None), None)
                if worker is None:
                    worker = _started(out, run_job, threads_of(count), messages)
                    workers.append(worker)
                _send_job(worker, job)
            if not board.running:
                break
            worker, message = messages.get()
            if isinstance(message, JobEvent) and message.kind not in ("finished", "failed"):
                board.watch(message)
            elif isinstance(message, JobEvent):
                worker.job = None
                board.settle(message)
            elif worker in workers:
                workers.remove(worker)
                worker.process.join()
                if worker.job is not None:
                    board.settle(_lost(worker.job, worker.process.exitcode, message, out))
    except BaseException as error:
        _stop(workers, messages, error)
        raise
    for worker in workers:
        _send_job(worker, None)
    for worker in workers:
        worker.process.join()


def threads_of(count: int) -> int:
    """How many threads each of `count` processes has: its part of this process's cores, and at most
    OMP_NUM_THREADS.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get(_THREADS[0], "")
    return max(1, min(cores // count, int(given) if given.isdigit() and int(given) else cores))


def _started(out: Path, run_job: RunJob, threads: int, messages: SimpleQueue[_Message]) -> _Worker:
    """A new process, whose messages a thread puts into `messages`."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    assert isinstance(ours, Connection)
    process = context.Process(target=_work, args=(theirs, out), name="crossin-job")
    before = {name: os.environ.get(name) for name in _THREADS}
    # Signals wait until it has handlers.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        # Libraries read these when they are imported.
        os.environ.update(dict.fromkeys(_THREADS, str(threads)))
        process.start()
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    theirs.close()
    worker = _Worker(process, ours)
    ours.send_bytes(pickle.dumps(run_job))
    Thread(target=_listen, args=(worker, messages), daemon=True).start()
    return worker


def _send_job(worker: _Worker, job: Job | None) -> None:
    worker.job = job
    # The end of its pipe says where it has just died.
    with suppress(OSError):
        worker.pipe.send_bytes(pickle.dumps(job))


def _listen(worker: _Worker, messages: SimpleQueue[_Message]) -> None:
    # In a thread: a signal in the middle of a message would lose the place in the pipe.
    with suppress(EOFError, OSError):
        while True:
            messages.put((worker, worker.pipe.recv()))
    messages.put((worker, None))


def _lost(job: Job, code: int | None, message: object, out: Path) -> JobEvent:
    """The failure of a job whose process ended."""
    if isinstance(message, _Interrupted):
        how = f"was stopped by {message.name}"
    elif code is not None and code < 0:
        how = f"was ended by {signal.Signals(-code).name}; if memory ran out, run fewer jobs at a time"
    else:
        how = f"ended with exit code {code}"
    log = _log_of(job, out)
    where = f". Its output is in {log}" if log.exists() else ""
    return JobEvent("failed", job.key, error=f"the job's process {how}{where}")


def _stop(workers: list[_Worker], messages: SimpleQueue[_Message], error: BaseException) -> None:
    """Stop all processes and wait until they have saved what they can; `error` gets notes on that."""
    for worker in workers:
        # Where a terminal has sent Ctrl-C to all, this second signal changes nothing.
        worker.process.terminate()
    alive = list(workers)
    try:
        while alive:
            worker, message = messages.get()
            if message is None and worker in alive:
                alive.remove(worker)
                worker.process.join()
            elif isinstance(message, _Interrupted) and worker.job is not None:
                for note in message.notes:
                    add_note(error, f"{worker.job.title}: {note}")
    except BaseException:
        for worker in alive:
            worker.process.kill()
        raise


def _work(pipe: Connection, out: Path) -> None:
    """The main function of a process: run jobs until there are no more."""
    _handle_signals()
    sending: SimpleQueue[JobEvent | _Interrupted | None] = SimpleQueue()
    received: SimpleQueue[bytes] = SimpleQueue()
    busy = Event()
    # Threads get no signals: none comes in the middle of a message.
    sender = Thread(target=_send, args=(pipe, sending))
    sender.start()
    Thread(target=_receive, args=(pipe, received, busy), daemon=True).start()
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        run_job: RunJob = pickle.loads(received.get())
        while (job := pickle.loads(received.get())) is not None:
            busy.set()
            with _output_to(_log_of(job, out)):
                event = execute(job, out, run_job, sending.put)
            busy.clear()
            sending.put(event)
    except Stopped as stopped:
        name = signal.Signals(stopped.number).name
        sending.put(_Interrupted(name, list(getattr(stopped, "__notes__", []))))
    finally:
        sending.put(None)
        sender.join()


def _handle_signals() -> None:
    """Make the first signal to stop an exception; a second Ctrl-C ends the process at once."""
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal stopping
        if not stopping:
            stopping = True
            raise Stopped(number)
        if number == signal.SIGINT:
            os._exit(128 + number)

    for number in STOPPING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)


def _send(pipe: Connection, messages: SimpleQueue[JobEvent | _Interrupted | None]) -> None:
    with suppress(OSError):
        while (message := messages.get()) is not None:
            pipe.send(message)


def _receive(pipe: Connection, received: SimpleQueue[bytes], busy: Event) -> None:
    with suppress(EOFError, OSError):
        while True:
            received.put(pipe.recv_bytes())
    # The process that began this one is gone.
    received.put(pickle.dumps(None))
    if busy.is_set():
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _output_to(file: Path) -> Iterator[None]:
    """Add what is written to standard output and error to a file, which is removed where it is empty."""
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        log = os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o666)
    before = [os.dup(number) for number in (1, 2)]
    try:
        for number in (1, 2):
            os.dup2(log, number)
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        for number, old in zip((1, 2), before, strict=True):
            os.dup2(old, number)
            os.close(old)
        if os.fstat(log).st_size == 0:
            file.unlink(missing_ok=True)
        os.close(log)


def _log_of(job: Job, out: Path) -> Path:
    return out / LOGS / f"{job.folder(out).name}.log"
