"""Pure functions from a table of answers to figures with their uncertainty."""

from crossin.metrics.bootstrap import Figure, differences, intervals
from crossin.metrics.figures import (
    ac3,
    accuracy,
    consistency,
    expected_consistency,
    figures,
    kappa,
    missing,
    right,
    wrong,
)
from crossin.metrics.reading import read_answers
from crossin.metrics.significance import holm, mcnemar
from crossin.metrics.table import AnswerTable, select

__all__ = [
    "AnswerTable",
    "Figure",
    "ac3",
    "accuracy",
    "consistency",
    "differences",
    "expected_consistency",
    "figures",
    "holm",
    "intervals",
    "kappa",
    "mcnemar",
    "missing",
    "read_answers",
    "right",
    "select",
    "wrong",
]
