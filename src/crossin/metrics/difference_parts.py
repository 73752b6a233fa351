"""What a difference in accuracy is made of: questions newly answered, no longer answered, and the others.

A question is answered where an option (or an entity) could be read from the reply. A tuned model may gain
because it now answers what it left unanswered before, or answers it in the form and the language asked for;
or because it is right more often where both models answer. Accuracy alone does not tell them apart. This
project's own.
"""

from __future__ import annotations

import numpy as np

from crossin.metrics.bootstrap import DRAWS, Figure, resample
from crossin.metrics.families import Family, ratio
from crossin.metrics.table import MISSING, AnswerTable, Floats, aligned

# What a question can be for two models, ours and theirs.
_KINDS = ("both", "new", "lost", "neither")


def split(
    table: AnswerTable, baseline: AnswerTable, *, draws: int = DRAWS, seed: int = 0
) -> dict[str, Figure]:
    """The figures of `split_family`, each with its interval; see `resample`.

    The tables hold the same items, languages, gold answers and groups, in any order.
    """
    family = split_family(table, aligned(baseline, table))
    return resample([family], table.groups, draws=draws, seed=seed)


def split_family(table: AnswerTable, baseline: AnswerTable) -> Family:
    """The parts of the difference in accuracy between `table` (ours) and `baseline` (theirs), which is in the
    same order (`aligned`). Each figure is over all languages, and with `/<language>` of one:

    - `both`, `new`, `lost`, `neither`: the shares of questions that both answer, that only ours answers, that
      only theirs answers, and that neither answers; their sum is 1.
    - `both_ours`, `both_theirs`: the two accuracies among the questions that both answer, and
      `both_difference`; `new_accuracy`: ours among those newly answered; `lost_accuracy`: theirs among those
      no longer answered. nan where there is no such question.
    - `gain_both = both * both_difference`, `gain_new = new * new_accuracy` and
      `gain_lost = - lost * lost_accuracy`: what each adds to the difference in accuracy, which is their sum.

    Over all languages, shares and gains are means over languages, as accuracy is.
    """
    ours, theirs = table.answers > MISSING, baseline.answers > MISSING
    right, theirs_right = (one.answers == one.gold[:, None] for one in (table, baseline))
    both = ours & theirs
    columns = (
        table.asked,
        both,
        ours & ~theirs,
        theirs & ~ours,
        table.asked & ~ours & ~theirs,
        both & right,
        both & theirs_right,
        ~theirs & right,
        ~ours & theirs_right,
    )

    def estimate(sums: Floats) -> dict[str, Floats]:
        asked, *counts = np.split(sums, len(columns), axis=1)
        shares = [ratio(count, asked) for count in counts]  # [W, L] each
        figures = _figures([share.mean(axis=1) for share in shares])
        for place, language in enumerate(table.languages):
            of_language = _figures([share[:, place] for share in shares])
            figures |= {f"{name}/{language}": values for name, values in of_language.items()}
        return figures

    return Family(np.hstack(columns, dtype=np.float64), estimate)


def has_missing(table: AnswerTable) -> bool:
    """Whether some question was not answered."""
    return bool((table.answers == MISSING).any())


def _figures(shares: list[Floats]) -> dict[str, Floats]:
    """The figures from shares of all questions, [W] each."""
    *kinds, ours, theirs, new, lost = shares
    of = dict(zip(_KINDS, kinds, strict=True))
    both = {"both_ours": ratio(ours, of["both"]), "both_theirs": ratio(theirs, of["both"])}
    return {
        **of,
        **both,
        "both_difference": both["both_ours"] - both["both_theirs"],
        "new_accuracy": ratio(new, of["new"]),
        "lost_accuracy": ratio(lost, of["lost"]),
        "gain_both": ours - theirs,
        "gain_new": new,
        # Not -lost, which would be -0.0.
        "gain_lost": 0 - lost,
    }
