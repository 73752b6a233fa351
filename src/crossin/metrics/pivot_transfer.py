"""How much of the pivot language's knowledge the other languages have: kept, gained, and transfer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crossin.metrics.families import Family, observed, ratio
from crossin.metrics.table import AnswerTable, Floats, place, require_parallel


def default_pivot(languages: Sequence[str]) -> str:
    """English where it was asked, else the first language."""
    return "en" if "en" in languages else languages[0]


def kept(table: AnswerTable, pivot: str) -> dict[str, float]:
    """Share of the items right in the pivot language that are right in another language too, in 0..1, one
    for each other language; nan where the pivot has no item right.

    `P(right in x | right in the pivot)`: of what the model knows in the pivot language, how much it knows in
    x. Guessing alone keeps 1/K. This project's own name for a plain conditional share. Raises CrossinError
    where the table lacks the pivot.
    """
    return _of_each(table, pivot, "kept")


def gained(table: AnswerTable, pivot: str) -> dict[str, float]:
    """Share of the items wrong in the pivot language that are right in another language, in 0..1, one for
    each other language; nan where the pivot has every item right.

    `P(right in x | wrong in the pivot)`; an item that the pivot left without an answer counts as wrong.
    Guessing among K options alone gains 1/K: compare with that, or with `kept`. This project's own. Raises
    CrossinError where the table lacks the pivot.
    """
    return _of_each(table, pivot, "gained")


def transfer(table: AnswerTable, pivot: str) -> dict[str, float]:
    """How far a language's accuracy is above chance, as a part of the pivot's, one for each other language:
    `(acc_x - chance) / (acc_pivot - chance)`.

    Chance is the mean over the items of 1 / options, or of 0 where the answer is an entity of an inventory,
    which the model is not shown (`AnswerTable.guessing`). 1 is as good as the pivot, 0 no better than
    guessing; below 0 is worse than guessing, above 1 better than the pivot. nan where the pivot itself is not
    above chance; where it is hardly above, the ratio can be any number, and an interval uses only the draws
    in which the pivot is above chance. It measures transfer only for facts that were taught in the pivot
    language alone. It is the ratio of accuracies that such experiments report, with chance subtracted on both
    sides.
    Raises CrossinError where the table lacks the pivot.
    """
    return _of_each(table, pivot, "transfer")


def transfer_family(table: AnswerTable, pivot: str) -> Family:
    """`kept/<x>`, `gained/<x>`, `transfer/<x>` of every language but the pivot, and `kept`, `gained`,
    `transfer`, their means; none where the pivot is the only language. Raises CrossinError where the table
    is not parallel.
    """
    require_parallel(table)
    column = place(table, pivot)
    others = [i for i in range(len(table.languages)) if i != column]
    correct = table.answers == table.gold[:, None]
    base, rest = correct[:, [column]], correct[:, others]
    columns = (np.ones((len(base), 1)), table.guessing[:, None], base, rest, base & rest)

    def estimate(sums: Floats) -> dict[str, Floats]:
        shares = sums[:, 1:] / sums[:, :1]
        chance, in_pivot, in_other, in_both = np.split(shares, [1, 2, 2 + len(others)], axis=1)
        found = {
            "kept": ratio(in_both, in_pivot),
            "gained": ratio(in_other - in_both, 1 - in_pivot),
            "transfer": ratio(in_other - chance, in_pivot - chance),
        }
        named = {
            f"{figure}/{table.languages[x]}": values[:, i]
            for figure, values in found.items()
            for i, x in enumerate(others)
        }
        return named | {figure: values.mean(axis=1) for figure, values in found.items() if others}

    return Family(np.hstack(columns, dtype=np.float64), estimate)


def _of_each(table: AnswerTable, pivot: str, figure: str) -> dict[str, float]:
    found = observed(transfer_family(table, pivot))
    return {x: found[f"{figure}/{x}"] for x in table.languages if x != pivot}
