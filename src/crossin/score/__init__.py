"""Stored predictions in, figures with their uncertainty out."""

from crossin.score.compare import Comparison, compare
from crossin.score.parity import Parity, parity
from crossin.score.predictions import Predictions, find_predictions, read_predictions
from crossin.score.score import Score, Wordings, score, wordings
from crossin.score.tables import comparison_tables, parity_table, summary, tables, wordings_table
from crossin.score.values import comparison_values, score_values, wordings_values

__all__ = [
    "Comparison",
    "Parity",
    "Predictions",
    "Score",
    "Wordings",
    "compare",
    "comparison_tables",
    "comparison_values",
    "find_predictions",
    "parity",
    "parity_table",
    "read_predictions",
    "score",
    "score_values",
    "summary",
    "tables",
    "wordings",
    "wordings_table",
    "wordings_values",
]
