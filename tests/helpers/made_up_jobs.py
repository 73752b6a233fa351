"""Made-up jobs of an experiment, and a function that runs them as stages: quick, and they do as they are told
by their settings.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crossin.core.errors import CrossinError
from crossin.core.files import write_text, writing
from crossin.core.interrupts import held_signals
from crossin.core.progress import Progress
from crossin.core.stages import Stage, stage
from crossin.experiments.jobs import Job


def job(name: str, *needs: Job, kind: str = "train", **settings: Any) -> Job:
    """A job; the settings say what happens in it (`run_made_up`)."""
    return Job(kind, f"{kind}: {name}", {"name": name, **settings}, f"{name}-key", needs)


def two_arms(**of_first: Any) -> list[Job]:
    """The jobs of two arms that share the first job; the settings are of the first arm's training."""
    facts = job("facts", kind="facts")
    jobs = [facts]
    for arm, settings in (("a", of_first), ("b", {})):
        mixture = job(f"mixture-{arm}", facts, kind="compose")
        tuned = job(f"tuned-{arm}", mixture, **settings)
        jobs += [mixture, tuned, job(f"answers-{arm}", tuned, kind="evaluate")]
    return jobs


def run_made_up(job: Job, out: Path, progress: Progress) -> Stage:
    """Run a job as a stage: its file holds its name and those of what it needs.

    Its settings say what else happens: `error`, `bug` or `leave`: it fails so; `full`: the disk is full;
    `meet`: it waits until the jobs of these names have begun; `die`, `stop`: it gets this signal, the first
    time; `hold`: it saves a part and waits for a signal, the first time.
    """
    wanted = job.settings
    begun = out / "begun"
    with stage(job.folder(out), job.stage, {"name": wanted["name"]}, {}) as work:
        if work.done:
            return work
        first = not (begun / wanted["name"]).exists()
        write_text(begun / wanted["name"], str(os.getpid()))
        progress(wanted["name"], 0, 2, "steps")
        print(f"output of {wanted['name']}", file=sys.stderr)
        for other in wanted.get("meet", ()):
            wait_for(begun / other)
        if "error" in wanted:
            raise CrossinError(wanted["error"], hint="a hint")
        if "bug" in wanted:
            raise ValueError(wanted["bug"])
        if "leave" in wanted:
            os._exit(wanted["leave"])
        if "full" in wanted:
            with writing(Path("/dev/full")):
                Path("/dev/full").write_text("x", encoding="utf-8")
        if first and (number := wanted.get("die")):
            os.kill(os.getpid(), number)
            signal.pause()
        if first and "hold" in wanted:
            with held_signals() as held:
                write_text(begun / f"{wanted['name']} holds", "")
                while held.number is None:
                    time.sleep(0.01)
                write_text(work.folder / "part.txt", "saved")
        texts = [(one.folder(out) / "out.txt").read_text("utf-8") for one in job.needs]
        write_text(work.folder / "out.txt", f"{wanted['name']}({', '.join(texts)})")
        (work.folder / "part.txt").unlink(missing_ok=True)
        progress(wanted["name"], 2, 2, "steps")
        work.finish(["out.txt"], {"tokens": 100})
    return work


def wait_for(file: Path, alive: Callable[[], bool] = lambda: True) -> None:
    """Wait until a file is there, as long as whoever writes it is alive."""
    while not file.exists():
        assert alive()
        time.sleep(0.01)


def results(out: Path) -> dict[str, str]:
    """The results of all finished jobs, by folder."""
    return {path.parent.name: path.read_text("utf-8") for path in sorted((out / "stages").glob("*/out.txt"))}
