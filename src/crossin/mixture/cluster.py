"""The shards of a mixture made by a Ray cluster."""

from __future__ import annotations

from pathlib import Path

from crossin.core.cluster import run_on_cluster
from crossin.core.progress import Progress
from crossin.mixture.job import Job
from crossin.mixture.shards import write_shard


def write_on_cluster(job: Job, out: Path, shards: list[int], progress: Progress) -> None:
    """Write the shards with these numbers as Ray tasks; `out` must be the same folder on every machine."""
    folder, done = out.absolute(), 0

    def heard(rows: int) -> None:
        nonlocal done
        done += rows
        progress("composing the mixture", min(done, len(job.plan)), len(job.plan), "rows")

    run_on_cluster(job, lambda job, number: write_shard(job, folder, number), shards, heard)
