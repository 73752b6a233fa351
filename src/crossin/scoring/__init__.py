"""Stored predictions in, figures with their uncertainty out."""

from crossin.scoring.comparison import Comparison, compare
from crossin.scoring.display import comparison_tables, parity_table, summary, tables, wordings_table
from crossin.scoring.predictions import Predictions, find_predictions, read_predictions
from crossin.scoring.scores import Score, Wordings, score, wordings
from crossin.scoring.seaeval_parity import Parity, parity
from crossin.scoring.values import comparison_values, score_values, wordings_values
from crossin.scoring.write import all_values, write_scores

__all__ = [
    "Comparison",
    "Parity",
    "Predictions",
    "Score",
    "Wordings",
    "all_values",
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
    "write_scores",
]
