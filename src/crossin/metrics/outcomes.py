"""What becomes of a question over all languages: right, wrong in the same way, or wrong in different ways."""

from __future__ import annotations

import numpy as np

from crossin.metrics.families import Family, ratio
from crossin.metrics.table import MISSING, AnswerTable, Floats, require_parallel

OUTCOMES = ("right_in_all", "right_in_some", "same_wrong", "different_wrong", "missing")


def outcome_family(table: AnswerTable) -> Family:
    """`outcome/<kind>`, the shares of questions of each kind, whose sum is 1, and `right_in/<k>`, the share
    right in exactly k languages, k = 0 .. L.

    The kinds are those of OUTCOMES: right in all languages (as `right_L`), right in some, the same wrong
    answer in all (as `wrong_L`), right in none with different answers (some may be missing), and no answer in
    any language. This project's own. Raises CrossinError where the table is not parallel.
    """
    require_parallel(table)
    answers, languages = table.answers, len(table.languages)
    count = (answers == table.gold[:, None]).sum(axis=1)
    missing = (answers == MISSING).all(axis=1)
    same = (answers == answers[:, :1]).all(axis=1) & (count == 0) & ~missing
    some = (count > 0) & (count < languages)
    kinds = (count == languages, some, same, (count == 0) & ~same & ~missing, missing)
    names = [f"outcome/{kind}" for kind in OUTCOMES] + [f"right_in/{k}" for k in range(languages + 1)]
    columns = (np.ones(len(count)), *kinds, *(count == k for k in range(languages + 1)))

    def estimate(sums: Floats) -> dict[str, Floats]:
        shares = ratio(sums[:, 1:], sums[:, :1])
        return {name: shares[:, place] for place, name in enumerate(names)}

    return Family(np.column_stack(columns).astype(np.float64), estimate)
