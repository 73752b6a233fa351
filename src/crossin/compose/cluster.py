"""The shards of a mixture made by a Ray cluster: each is a task of its own, and a task that dies is run
again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from crossin.compose.job import Job
from crossin.compose.shards import write_shard
from crossin.extras import require
from crossin.progress import Progress


def write_on_cluster(job: Job, out: Path, shards: list[int], progress: Progress) -> None:
    """Write the shards with these numbers as Ray Data tasks; `out` must be the same folder on every machine.

    A cluster that is running (RAY_ADDRESS, or `ray.init` before) is used; else one is started on this
    machine.
    """
    require("ray", "ray")
    import ray
    import ray.data

    if not shards:
        return
    started = not ray.is_initialized()
    if started:
        ray.init(ignore_reinit_error=True, log_to_driver=False)
    try:
        shared = ray.put(job)
        folder = out.absolute()

        def write(row: dict[str, Any]) -> dict[str, Any]:
            return {"rows": write_shard(ray.get(shared), folder, shards[int(row["id"])])}

        # One shard a block: a machine that is lost costs the shards it was at, and no more.
        written = ray.data.range(len(shards), override_num_blocks=len(shards)).map(write)
        done = 0
        for batch in written.iter_batches(batch_size=None, prefetch_batches=0):
            done += int(sum(batch["rows"]))
            progress("composing the mixture", min(done, len(job.plan)), len(job.plan), "rows")
    finally:
        if started:
            ray.shutdown()
