"""From stored predictions to figures with their uncertainty."""

from crossin.scoring.comparison import compare
from crossin.scoring.display import comparison_tables, parity_table, summary, tables, wordings_table
from crossin.scoring.predictions import find_predictions, read_predictions
from crossin.scoring.scores import score, wordings
from crossin.scoring.seaeval_parity import parity
from crossin.scoring.values import all_values, comparison_values, score_values, write_scores

__all__ = [
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
    "write_scores",
]
