"""A part of a benchmark: what is trained on, and what is asked afterwards, are parts that share no group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from crossin.core.errors import CrossinError
from crossin.core.formats import ENTITIES
from crossin.core.hashing import hash64
from crossin.core.reasons import Reason
from crossin.core.stages import Stage, stage
from crossin.items.inventories import read_inventories
from crossin.items.item import Item, finish_bench, items_file, read_items
from crossin.items.selection import select

By = Literal["group", "task"]


class PartReason(Reason):
    """Why an item of the whole is not in the part."""

    OUTSIDE = "outside_part", "in another part"
    BEYOND = "beyond_number", "beyond the number of items"


def build_part(
    bench: Path | str,
    out: Path | str,
    *,
    share: tuple[float, float] = (0, 1),
    by: By = "group",
    tasks: Sequence[str] | None = None,
    items: int | None = None,
    seed: int = 0,
) -> Stage:
    """Build the part of a benchmark (its folder or file) between two shares of its groups, or of its tasks.

    The groups, or the tasks, are in the order of a hash of their names with `seed`: (0, .6) has the first six
    tenths of them, and (.6, 1) the others, so that parts whose shares do not overlap have nothing in common.
    `tasks`: of the part, only these. `items`: of the part, the first groups (also with `by="task"`) that hold
    this many items (`select`), so that a smaller number is among a larger one. Raises CrossinError for shares
    that are not in order, a task that the benchmark does not have, and where the part is empty.
    """
    low, high = share
    file = items_file(bench)
    if not 0 <= low < high <= 1:
        raise CrossinError(
            f"no part goes from {low} to {high}", field="share", hint="give two shares in order, as 0,0.6"
        )
    inputs = {"bench": file}
    if (file.parent / ENTITIES).is_file():
        inputs["entities"] = file.parent / ENTITIES
    named = None if tasks is None else sorted(tasks)
    settings = {"share": [low, high], "by": by, "tasks": named, "items": items, "seed": seed}
    with stage(out, "bench", {"bench": "part", **settings}, inputs) as work:
        if not work.done:
            every = read_items(file)
            names = _ordered([getattr(one, by) for one in every], by, seed)
            inside = set(names[round(low * len(names)) : round(high * len(names))])
            kept = [one for one in every if getattr(one, by) in inside]
            if not kept:
                raise CrossinError(
                    f"this part has none of the {len(names)} {by}s",
                    file=file,
                    field="share",
                    hint="give a wider one",
                )
            part, _ = select(kept, file, tasks=named)
            kept, _ = select(part, file, limit=items, seed=seed)
            skipped = Counter[str]()
            skipped[PartReason.OUTSIDE] = _count(every) - _count(part)
            skipped[PartReason.BEYOND] = _count(part) - _count(kept)
            used = {one.inventory for one in kept}
            inventories = [one for name, one in read_inventories(file.parent).items() if name in used]
            finish_bench(work, kept, dict(+skipped), inventories=inventories)
    return work


def _ordered(names: Sequence[str], kind: str, seed: int) -> list[str]:
    return sorted(set(names), key=lambda name: (hash64(str(seed), "part", kind, name), name))


def _count(items: Sequence[Item]) -> int:
    return len({one.item for one in items})
