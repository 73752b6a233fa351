"""The answers of several seeds as one table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossin.metrics.table import AnswerTable


def stacked(tables: Sequence[AnswerTable], *, apart: bool = False) -> AnswerTable:
    """All seeds' answers in one table. Groups are resampled together over the seeds; with `apart`, where each
    seed has facts of its own, each seed's groups are separate.
    """
    numbered = list(enumerate(tables))
    return AnswerTable(
        items=tuple(f"{item}#{seed}" for seed, table in numbered for item in table.items),
        languages=tables[0].languages,
        groups=tuple(
            f"{group}#{seed}" if apart else group for seed, table in numbered for group in table.groups
        ),
        tasks=tuple(task for table in tables for task in table.tasks),
        answers=np.concatenate([table.answers for table in tables]),
        gold=np.concatenate([table.gold for table in tables]),
        options=np.concatenate([table.options for table in tables]),
    )
