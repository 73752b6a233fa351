"""A Ray cluster, and numbered work as its tasks; a task that dies is run again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any, Literal

from crossin.core.extras import require

# Where shards are made: in this process, or as tasks of a Ray cluster.
Runner = Literal["local", "ray"]


@contextmanager
def ray_cluster() -> Iterator[None]:
    """Connect to a Ray cluster for the block: a running one (RAY_ADDRESS, or an earlier `ray.init`), or one
    that is started on this machine.
    """
    require("ray", "ray")
    import ray

    if ray.is_initialized():
        yield
        return
    handler = signal.getsignal(signal.SIGTERM)
    # Ray's processes inherit the mask: this one would wait for those that a batch system's signal ends.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        ray.init(ignore_reinit_error=True, log_to_driver=False)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    # Ray takes this signal for itself.
    if current_thread() is main_thread():
        signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        ray.shutdown()


def run_on_cluster(
    shared: Any, work: Callable[[Any, int], int], numbers: Sequence[int], done: Callable[[int], None]
) -> None:
    """Call `work(shared, number)` for each number as a task of Ray Data; `done` gets the count of rows that
    each returns. `work` must write to a folder that all machines share.
    """
    if not numbers:
        return
    with ray_cluster():
        import ray
        import ray.data

        held = ray.put(shared)

        def one(row: dict[str, Any]) -> dict[str, Any]:
            return {"rows": work(ray.get(held), numbers[int(row["id"])])}

        # One number a block: a lost machine costs its current number only.
        results = ray.data.range(len(numbers), override_num_blocks=len(numbers)).map(one)
        for batch in results.iter_batches(batch_size=None, prefetch_batches=0):
            done(int(sum(batch["rows"])))
