"""Which languages agree: consistency pair by pair, above chance, and with one pivot language."""

from __future__ import annotations

import numpy as np

from crossin.metrics.chance import chance_blocks, chance_of_pairs
from crossin.metrics.choices import above_chance
from crossin.metrics.families import Family, mean_family, sums_of_blocks
from crossin.metrics.table import MISSING, AnswerTable, Floats, place, require_parallel


def agreement(table: AnswerTable) -> Floats:
    """Share of items on which two languages chose the same option, in 0..1: [L, L].

    A missing answer agrees with nothing, so the diagonal is the share of items answered. The mean over pairs
    is consistency_2 of SeaEval (arXiv 2309.04766): this matrix is consistency_2 before the mean. Raises
    CrossinError where the table is not parallel.
    """
    require_parallel(table)
    answered = table.answers != MISSING
    together = [
        ((table.answers == answers[:, None]) & answered).sum(axis=0, dtype=np.float64)
        for answers in table.answers.T
    ]
    return np.array(together) / len(table.items)


def pair_kappa(table: AnswerTable) -> Floats:
    """Agreement above chance of two languages, `(A_xy - E_xy) / (1 - E_xy)`, at most 1: [L, L].

    A is `agreement`; `E_xy = sum_a p_xa p_ya`, with p_xa the share of all items on which language x chose
    position a; where items are in pools, it is the mean over pools (`crossin.metrics.chance`). nan where
    E_xy = 1: both languages chose one and the same position throughout. This is Cohen's
    kappa (Educational and Psychological Measurement 20, 1960) with one change: a missing answer agrees with
    nothing, not even with another missing answer. `kappa_2` pools the pairs' agreement and chance before it
    divides; it is not the mean of these.
    """
    # The diagonal counts positions that one language alone chose, too.
    sums = [block.columns.sum(axis=0, keepdims=True) for block in chance_blocks(table, least=1)]
    return above_chance(agreement(table), chance_of_pairs(sums, len(table.languages))[0])


def agreement_family(table: AnswerTable) -> Family:
    """`agreement/<x>+<y>` and `kappa/<x>+<y>` (of `pair_kappa`) of every two languages, x before y in the
    table; none for a table of one language. Their mean agreement is `consistency_2`. Raises CrossinError
    where the table is not parallel.
    """
    require_parallel(table)
    items, languages = table.answers.shape
    first, second = np.triu_indices(languages, k=1)
    names = pair_names(table)
    same = (table.answers[:, first] == table.answers[:, second]) & (table.answers[:, first] != MISSING)
    blocks = chance_blocks(table) if names else ()

    def estimate(sums: Floats) -> dict[str, Floats]:
        if not names:
            return {}
        count, together, _ = np.split(sums, [1, 1 + len(names)], axis=1)
        expected = chance_of_pairs(sums_of_blocks(sums, blocks), languages)[:, first, second]
        kappas = above_chance(together / count, expected)
        agreements = {f"agreement/{name}": together[:, i] / count[:, 0] for i, name in enumerate(names)}
        return agreements | {f"kappa/{name}": kappas[:, i] for i, name in enumerate(names)}

    return Family(np.hstack([np.ones((items, 1)), same], dtype=np.float64), estimate, blocks)


def agreement_parts_family(table: AnswerTable) -> Family:
    """`right/<x>+<y>` and `wrong/<x>+<y>` of every two languages: the parts of their `agreement` on the right
    option and on the same wrong one. Their means over pairs are `right_2` and `wrong_2`. None for a table of
    one language. Raises CrossinError where the table is not parallel.
    """
    require_parallel(table)
    first, second = np.triu_indices(len(table.languages), k=1)
    same = (table.answers[:, first] == table.answers[:, second]) & (table.answers[:, first] != MISSING)
    correct = table.answers[:, first] == table.gold[:, None]
    names = pair_names(table)
    columns = np.hstack([np.ones((len(same), 1)), same & correct, same & ~correct], dtype=np.float64)

    def estimate(sums: Floats) -> dict[str, Floats]:
        shares = sums[:, 1:] / sums[:, :1]
        keys = [f"{part}/{name}" for part in ("right", "wrong") for name in names]
        return {key: shares[:, place] for place, key in enumerate(keys)}

    return Family(columns, estimate)


def pair_names(table: AnswerTable) -> list[str]:
    """`<x>+<y>` of every two languages, in the order of the upper triangle of a matrix."""
    first, second = np.triu_indices(len(table.languages), k=1)
    return [f"{table.languages[x]}+{table.languages[y]}" for x, y in zip(first, second, strict=True)]


def pivot_consistency(table: AnswerTable, pivot: str) -> dict[str, float]:
    """Share of items on which a language chose the same option as the pivot language, in 0..1, one for each
    other language: the pivot's row of `agreement`.

    Whether the answer is right plays no part: a wrong answer shared with the pivot counts here, and not in
    `kept`. This project's own part of SeaEval's consistency_2. Raises CrossinError where the table lacks
    the pivot.
    """
    with_pivot = agreement(table)[place(table, pivot)]
    return {x: float(with_pivot[i]) for i, x in enumerate(table.languages) if x != pivot}


def pivot_family(table: AnswerTable, pivot: str) -> Family:
    """`pivot/<x>`, the `pivot_consistency` of every other language, and `pivot`, their mean.

    None where the pivot is the only language. Raises CrossinError where the table is not parallel.
    """
    require_parallel(table)
    column = place(table, pivot)
    others = [i for i in range(len(table.languages)) if i != column]
    base = table.answers[:, [column]]
    same = (table.answers[:, others] == base) & (base != MISSING)
    return mean_family("pivot", [table.languages[x] for x in others], same)
