"""SeaEval's logs by SeaEval's own rule, for equal scores."""

from __future__ import annotations

import numpy as np

from crossin.logs.seaeval import SeaEvalLog
from crossin.metrics.table import MISSING, AnswerTable, Floats, Integers
from crossin.scoring.seaeval_rule import align


def gold_places(log: SeaEvalLog) -> Integers:
    """The position of the right option of each item: [I]."""
    first = log.items[:: len(log.languages)]
    return np.array([item.option_ids.index(item.answer) for item in first], dtype=np.int64)


def aligned_table(log: SeaEvalLog) -> AnswerTable:
    """The answers by SeaEval's own rule (`seaeval_chances`); missing where SeaEval draws one."""
    chances = seaeval_chances(log)
    first = log.items[:: len(log.languages)]
    return AnswerTable(
        items=tuple(item.item for item in first),
        languages=log.languages,
        groups=tuple(item.group for item in first),
        tasks=tuple(item.task for item in first),
        answers=np.where(chances.max(axis=2) == 1, chances.argmax(axis=2), MISSING),
        gold=gold_places(log),
        options=np.array([len(item.options) for item in first], dtype=np.int64),
    )


def seaeval_chances(log: SeaEvalLog) -> Floats:
    """The chance of each option by SeaEval's own rule (`crossin.scoring.seaeval_rule`), draws included:
    [I, L, K], items and languages in the log's order.

    Of five-shot runs the first line of a reply counts, as in SeaEval.
    """
    chances = np.zeros((len(log.items), max(len(item.options) for item in log.items)))
    for cell, item in zip(chances, log.items, strict=True):
        reply = log.replies[item.item, item.language]
        among = align(reply.split("\n")[0] if log.five_shot else reply, item.options)
        cell[list(among)] = 1 / len(among)
    return chances.reshape(-1, len(log.languages), chances.shape[1])
