"""Pure functions from a table of answers to figures with their uncertainty."""

from crossin.metrics.bootstrap import DRAWS, Figure, differences, intervals, resample, resample_difference
from crossin.metrics.choices import (
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
from crossin.metrics.families import Family, observed
from crossin.metrics.free_text import text_families
from crossin.metrics.generation import bleu_family, chrf_family, signatures
from crossin.metrics.language_fidelity import fidelity, fidelity_family
from crossin.metrics.normalisation import normalise, tokens
from crossin.metrics.pairwise import (
    agreement,
    agreement_family,
    pair_kappa,
    pivot_consistency,
    pivot_family,
)
from crossin.metrics.pivot_transfer import gained, kept, transfer, transfer_family
from crossin.metrics.rankings import rankc, rankc_chance, rankc_family, ranked
from crossin.metrics.reading import read_answers, read_logprobs, read_wordings, table_of, tables_of
from crossin.metrics.seaeval import chances_of, drawn_accuracy, drawn_consistency, seaeval_scores
from crossin.metrics.significance import holm, mcnemar
from crossin.metrics.table import AnswerTable, by_task, select
from crossin.metrics.texts import (
    TextTable,
    exact_match,
    exact_match_family,
    f1,
    f1_family,
    missing_replies,
    text_table_of,
)
from crossin.metrics.wordings import Spread, spread, wording_agreement, wording_family

__all__ = [
    "DRAWS", "AnswerTable", "Family", "Figure", "Spread", "TextTable", "ac3", "accuracy", "agreement",
    "agreement_family", "answer_family", "bleu_family", "by_task", "chances_of", "chrf_family", "consistency",
    "differences", "drawn_accuracy", "drawn_consistency", "exact_match", "exact_match_family",
    "expected_consistency", "f1", "f1_family", "fidelity", "fidelity_family", "figures", "gained", "holm",
    "intervals", "kappa", "kept", "mcnemar", "missing", "missing_replies", "normalise", "observed",
    "pair_kappa", "pivot_consistency", "pivot_family", "rankc", "rankc_chance", "rankc_family", "ranked",
    "read_answers", "read_logprobs", "read_wordings", "resample", "resample_difference", "right",
    "seaeval_scores", "select", "signatures", "spread", "table_of", "tables_of", "text_families",
    "text_table_of", "tokens", "transfer", "transfer_family", "wording_agreement", "wording_family", "wrong",
]  # fmt: skip
