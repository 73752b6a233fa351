"""How long the jobs of an experiment will take, and how much disk: from what like jobs took, or unknown."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path

from crossin.core.errors import CrossinError
from crossin.core.progress import Progress, silent
from crossin.experiments.execution import is_finished
from crossin.experiments.jobs import Job, replaced
from crossin.experiments.rates import Rate, alike, known_rates, model_of, sizes_of, this_machine

# What an estimate rests on.
HERE, EARLIER, STEP = "jobs of this experiment", "earlier runs on this machine", "one step, timed now"
_OTHER_SETTINGS = ", with other settings"
# An estimate is the mean over the latest jobs.
_LATEST = 20


@dataclass(frozen=True)
class JobEstimate:
    """What a job will take: seconds and bytes, each None where no like job was measured. basis: what the
    seconds rest on.
    """

    job: Job
    seconds: float | None
    size_bytes: float | None
    basis: str


def estimates_of(
    jobs: Sequence[Job],
    out: Path,
    *,
    at_once: int = 1,
    measure: bool = False,
    progress: Progress = silent,
) -> list[JobEstimate]:
    """An estimate for each job that is not finished.

    at_once: how many jobs will run at the same time; jobs measured so are preferred. measure: time a step of
    a training of which nothing is known, where its model and its mixture are there.
    """
    here, earlier = known_rates(out)
    sources = {HERE: here, EARLIER: earlier}
    found = []
    for job in jobs:
        if is_finished(job, out):
            continue
        one = _estimate(job, out, sources, at_once)
        if one.seconds is None and measure and (rate := _timed(job, out, progress)) is not None:
            sources.setdefault(STEP, []).append(rate)
            one = _estimate(job, out, sources, at_once)
        found.append(one)
    return found


def span(seconds: Mapping[str, float], jobs: Sequence[Job], at_once: int) -> float:
    """How long the jobs with these seconds take where `at_once` run at a time, each after what it needs, in
    their order; jobs without are finished.
    """
    waiting = [job for job in jobs if job.key in seconds]
    running: list[tuple[float, str]] = []
    open_keys, now = {job.key for job in waiting}, 0.0
    while waiting or running:
        for job in list(waiting):
            if len(running) < at_once and not any(one.key in open_keys for one in job.needs):
                waiting.remove(job)
                heappush(running, (now + seconds[job.key], job.key))
        now, key = heappop(running)
        open_keys.remove(key)
    return now


def estimate_lines(
    found: Sequence[JobEstimate], jobs: Sequence[Job], out: Path, at_once: int = 1
) -> list[str]:
    """The estimates in words: a line for each stage, then time and disk together."""
    if not found:
        return ["all jobs are finished"]
    lines = [f"{len(jobs) - len(found)} of {len(jobs)} jobs are finished"]
    for stage in dict.fromkeys(one.job.stage for one in found):
        mine = [one for one in found if one.job.stage == stage]
        known = [one.seconds for one in mine if one.seconds is not None]
        basis = ", ".join(dict.fromkeys(one.basis for one in mine if one.seconds is not None))
        head = f"{stage}: {len(mine)} {'job' if len(mine) == 1 else 'jobs'}"
        unknown = len(mine) - len(known)
        if known:
            head += f", {hours(sum(known))} (from {basis})"
        if unknown:
            head += f"; {unknown} of them" if known else ""
            head += ", time unknown until one has run"
        lines.append(head)
    seconds = {one.job.key: one.seconds or 0.0 for one in found}
    least = "at least " if any(one.seconds is None for one in found) else ""
    ways = f", {at_once} jobs at a time" if at_once > 1 else ""
    if any(seconds.values()):
        lines.append(f"time: {least}{hours(span(seconds, jobs, at_once))}{ways}")
    sizes = [one.size_bytes for one in found]
    if any(size is not None for size in sizes):
        least = "at least " if None in sizes else ""
        free = gigabytes(free_space(out))
        lines.append(f"disk: {least}{gigabytes(sum(filter(None, sizes)))}; {free} are free")
    return lines


def check_space(found: Iterable[JobEstimate], out: Path) -> None:
    """Raise CrossinError where the disk has less room than the jobs are known to need."""
    needed, free = sum(one.size_bytes or 0 for one in found), free_space(out)
    if needed > free:
        raise CrossinError(
            f"the jobs need about {gigabytes(needed)}, and the disk has {gigabytes(free)} left",
            file=out,
            hint="free some space, or choose another folder with --out",
        )


def free_space(out: Path) -> int:
    """The bytes that are free where a folder is, or will be."""
    there = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    return shutil.disk_usage(there).free


def hours(seconds: float) -> str:
    """A duration as hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def gigabytes(size: float) -> str:
    """A number of bytes in a unit that suits it."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if size >= scale:
            return f"{size / scale:,.1f} {unit}"
    return f"{size / 1e3:,.1f} kB"


def _estimate(job: Job, out: Path, sources: Mapping[str, list[Rate]], at_once: int) -> JobEstimate:
    same, model, sizes = alike(job), model_of(job), sizes_of(job, out)

    def is_alike(rate: Rate) -> bool:
        return rate.alike == same

    def has_same_model(rate: Rate) -> bool:
        return rate.stage == job.stage and rate.model == model

    levels: tuple[tuple[Callable[[Rate], bool], str], ...] = (
        (is_alike, ""),
        (has_same_model, _OTHER_SETTINGS),
    )
    for wanted, words in levels:
        for basis, rates in sources.items():
            found = list(filter(wanted, rates))
            found = ([one for one in found if one.at_once == at_once] or found)[-_LATEST:]
            if found:
                seconds = _scaled(found, [one.seconds for one in found], sizes)
                # A timed step says nothing of the disk.
                measured = [one for one in found if one.size_bytes]
                # What a training writes has the size of its weights, whatever it reads.
                fixed = {} if job.stage == "train" else sizes
                disk = _scaled(measured, [one.size_bytes for one in measured], fixed) if measured else None
                return JobEstimate(job, seconds, disk, basis + words)
    return JobEstimate(job, None, None, "")


def _scaled(rates: Sequence[Rate], values: Sequence[float], sizes: Mapping[str, float]) -> float:
    """The values by unit of size, times the size; their mean where no unit is known of all."""
    for unit, size in sizes.items():
        if all(rate.sizes.get(unit) for rate in rates):
            return sum(values) / sum(rate.sizes[unit] for rate in rates) * size
    return sum(values) / len(values)


def _timed(job: Job, out: Path, progress: Progress) -> Rate | None:
    """A training's time, from one step of it; None where its model or its mixture is not there."""
    if job.stage != "train" or not all(is_finished(one, out) for one in job.needs):
        return None
    from crossin.models.download import cached
    from crossin.training.config import TrainConfig
    from crossin.training.dry_run import preview

    folders = {one.key: str(one.folder(out)) for one in job.needs}
    with suppress(CrossinError):
        config = TrainConfig.model_validate(replaced(job.settings, folders))
        if config.model and (Path(config.model).is_dir() or cached(config.model)):
            seconds, machine = preview(config, progress=progress).seconds, this_machine()
            sizes = sizes_of(job, out)
            return Rate(job.key, job.stage, model_of(job), alike(job), seconds, 0, 1, machine, sizes)
    return None
