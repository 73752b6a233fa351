"""Work by number as tasks of a Ray cluster; a task that dies is run again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from crossin.core.extras import require

# Where shards are made: in this process, or as tasks of a Ray cluster.
Runner = Literal["local", "ray"]


def run_on_cluster(
    shared: Any, work: Callable[[Any, int], int], numbers: Sequence[int], heard: Callable[[int], None]
) -> None:
    """Call `work(shared, number)` for each number as a Ray Data task of its own; `heard` is told what it
    returns, a count of rows.

    A cluster that is running (RAY_ADDRESS, or `ray.init` before) is used; else one is started on this
    machine. What `work` writes must go to a folder that all machines share.
    """
    require("ray", "ray")
    import ray
    import ray.data

    if not numbers:
        return
    started = not ray.is_initialized()
    if started:
        ray.init(ignore_reinit_error=True, log_to_driver=False)
    try:
        held = ray.put(shared)

        def one(row: dict[str, Any]) -> dict[str, Any]:
            return {"rows": work(ray.get(held), numbers[int(row["id"])])}

        # One number a block: a machine that is lost costs what it was at, and no more.
        done = ray.data.range(len(numbers), override_num_blocks=len(numbers)).map(one)
        for batch in done.iter_batches(batch_size=None, prefetch_batches=0):
            heard(int(sum(batch["rows"])))
    finally:
        if started:
            ray.shutdown()
