"""Pure functions from a table of answers to figures with their uncertainty."""

from crossin.metrics.agreement import (
    agreement,
    agreement_family,
    pair_kappa,
    pivot_consistency,
    pivot_family,
)
from crossin.metrics.bootstrap import DRAWS, Figure, differences, intervals, resample, resample_difference
from crossin.metrics.families import Family, observed
from crossin.metrics.figures import (
    ac3,
    accuracy,
    answer_family,
    consistency,
    expected_consistency,
    figures,
    kappa,
    missing,
    right,
    wrong,
)
from crossin.metrics.rankings import rankc, rankc_chance, rankc_family, ranked
from crossin.metrics.reading import read_answers, read_logprobs, read_wordings, table_of
from crossin.metrics.significance import holm, mcnemar
from crossin.metrics.table import AnswerTable, by_task, select
from crossin.metrics.transfer import gained, kept, transfer, transfer_family
from crossin.metrics.wordings import Spread, spread, wording_agreement, wording_family

__all__ = [
    "DRAWS",
    "AnswerTable",
    "Family",
    "Figure",
    "Spread",
    "ac3",
    "accuracy",
    "agreement",
    "agreement_family",
    "answer_family",
    "by_task",
    "consistency",
    "differences",
    "expected_consistency",
    "figures",
    "gained",
    "holm",
    "intervals",
    "kappa",
    "kept",
    "mcnemar",
    "missing",
    "observed",
    "pair_kappa",
    "pivot_consistency",
    "pivot_family",
    "rankc",
    "rankc_chance",
    "rankc_family",
    "ranked",
    "read_answers",
    "read_logprobs",
    "read_wordings",
    "resample",
    "resample_difference",
    "right",
    "select",
    "spread",
    "table_of",
    "transfer",
    "transfer_family",
    "wording_agreement",
    "wording_family",
    "wrong",
]
