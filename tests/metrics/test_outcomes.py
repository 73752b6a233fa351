from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from crossin.metrics.choices import figures
from crossin.metrics.families import observed
from crossin.metrics.outcomes import OUTCOMES, outcome_family
from crossin.metrics.pairwise import agreement_family, agreement_parts_family
from crossin.metrics.table import MISSING, AnswerTable
from tests.helpers.answer_tables import table, tables


def test_a_question_has_one_of_five_outcomes() -> None:
    answers = [
        [0, 0, 0],  # right in all
        [0, 1, 1],  # in some
        [0, 0, MISSING],  # in some
        [2, 2, 2],  # the same wrong answer in all
        [1, 2, 3],  # different wrong answers
        [1, 1, MISSING],  # different, too: one language has none
        [MISSING, 3, MISSING],
        [MISSING, MISSING, MISSING],
    ]
    found = observed(outcome_family(table(answers)))
    assert {kind: 8 * found[f"outcome/{kind}"] for kind in OUTCOMES} == {
        "right_in_all": 1,
        "right_in_some": 2,
        "same_wrong": 1,
        "different_wrong": 3,
        "missing": 1,
    }
    assert [8 * found[f"right_in/{k}"] for k in range(4)] == [5, 1, 1, 1]


@given(tables())
def test_outcomes_add_up_and_agree_with_the_figures_of_all_languages(asked: AnswerTable) -> None:
    found, largest = observed(outcome_family(asked)), len(asked.languages)
    assert sum(found[f"outcome/{kind}"] for kind in OUTCOMES) == pytest.approx(1)
    assert sum(found[f"right_in/{k}"] for k in range(largest + 1)) == pytest.approx(1)
    named = figures(asked)
    assert found["outcome/right_in_all"] == pytest.approx(named[f"right_{largest}"])
    assert found["outcome/same_wrong"] == pytest.approx(named[f"wrong_{largest}"])


@given(tables())
def test_the_parts_of_an_agreement_add_up_to_it(asked: AnswerTable) -> None:
    parts, whole = observed(agreement_parts_family(asked)), observed(agreement_family(asked))
    pairs = [key.partition("/")[2] for key in whole if key.startswith("agreement/")]
    for pair in pairs:
        assert parts[f"right/{pair}"] + parts[f"wrong/{pair}"] == pytest.approx(whole[f"agreement/{pair}"])
    named = figures(asked)
    for part in ("right", "wrong"):
        assert np.mean([parts[f"{part}/{pair}"] for pair in pairs]) == pytest.approx(named[f"{part}_2"])
