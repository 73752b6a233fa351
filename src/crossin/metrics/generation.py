"""chrF and BLEU of free-text replies, per language, as sacrebleu computes them.

Scores are on sacrebleu's scale, 0 to 100, as the field prints them; the other figures of this project are
shares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crossin.core.extras import require
from crossin.metrics.families import Family, with_mean
from crossin.metrics.table import Floats
from crossin.metrics.texts import TextTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from sacrebleu.metrics import BLEU
    from sacrebleu.metrics.base import Metric

# sacrebleu's own names. Its tokenizer for Japanese words (ja-mecab) needs packages beyond it.
_TOKENIZERS = {"zh": "zh", "yue": "zh", "ja": "char", "th": "char", "lo": "char", "km": "char", "my": "char"}

_BETA = 2
# BLEU's statistics: the two lengths, the common and all n-grams of the hypothesis for each of four orders,
# and (ours) the number of references with a 4-gram.
_LONGEST = 4


def chrf_family(table: TextTable) -> Family:
    """`chrf/<language>`, corpus chrF2 (character n-grams up to 6, no words), and `chrf`, their mean; 0..100.

    A missing reply is an empty hypothesis. Source: Popović, 2015, as sacrebleu computes it by default (Post,
    2018): its own statistics of each segment are summed under each weighting, as in its own bootstrap.
    """
    require("text", "sacrebleu")
    from sacrebleu.metrics import CHRF

    metric = CHRF(beta=_BETA)
    return _family("chrf", table, [_statistics(metric, table, x) for x in table.languages], _chrf)


def bleu_family(table: TextTable) -> Family:
    """`bleu/<language>`, corpus BLEU, and `bleu`, their mean; 0..100.

    The tokenizer follows the language: `zh` for Chinese, `char` for Japanese, Thai, Lao, Khmer and Burmese,
    else `13a`. So a figure compares models in one language; the mean over languages is only a summary. A
    missing reply is an empty hypothesis. nan where no reference has four tokens, as with names: BLEU counts
    4-grams, and sacrebleu gives 0 even to perfect replies; the mean is nan where a language is.
    Source: Papineni et al., 2002, with sacrebleu's defaults (exponential smoothing); see `chrf_family`.
    """
    require("text", "sacrebleu")
    counted = [_statistics(_bleu_metric(x), table, x) for x in table.languages]
    return _family("bleu", table, [np.column_stack([x, x[:, 1] >= _LONGEST]) for x in counted], _bleu)


def signatures(languages: tuple[str, ...]) -> dict[str, str]:
    """sacrebleu's signatures, to be printed with the scores: `chrf`, and `bleu/<language>` for each."""
    require("text", "sacrebleu")
    from sacrebleu.metrics import CHRF

    metrics: dict[str, Metric] = {"chrf": CHRF(beta=_BETA)}
    metrics |= {f"bleu/{language}": _bleu_metric(language) for language in languages}
    for metric in metrics.values():
        # A signature has the number of references, which is known after something was scored.
        metric.corpus_score(["a"], [["a"]])
    return {name: str(metric.get_signature()) for name, metric in metrics.items()}


def _bleu_metric(language: str) -> BLEU:
    from sacrebleu.metrics import BLEU

    # force: no warning that replies with a space before the full stop look tokenized.
    return BLEU(tokenize=_TOKENIZERS.get(language.split("-")[0], "13a"), force=True)


def _statistics(metric: Metric, table: TextTable, language: str) -> Floats:
    """sacrebleu's own statistics of every segment in a language: [I, S]; 0 of an item that it lacks."""
    column = table.languages.index(language)
    asked = np.flatnonzero(table.asked[:, column])
    replies = [table.replies[row][column] or "" for row in asked]
    references = [table.references[row][column] for row in asked]
    found = np.array(metric._extract_corpus_statistics(replies, [references]), dtype=np.float64)
    statistics = np.zeros((len(table.items), found.shape[1]))
    statistics[asked] = found
    return statistics


def _family(
    name: str, table: TextTable, statistics: list[Floats], score: Callable[[Floats], Floats]
) -> Family:
    """`score` turns statistics [W, L, S], summed over items, into scores [W, L]."""

    def estimate(sums: Floats) -> dict[str, Floats]:
        return with_mean(name, table.languages, score(sums.reshape(len(sums), len(table.languages), -1)))

    return Family(np.hstack(statistics), estimate)


def _chrf(statistics: Floats) -> Floats:
    # Three for each order: n-grams of the hypothesis, of the reference, and common ones.
    orders = statistics.reshape(*statistics.shape[:2], -1, 3)
    hypothesis, reference, common = orders[..., 0], orders[..., 1], orders[..., 2]
    # Orders longer than all replies or all references are left out.
    known = (hypothesis > 0) & (reference > 0)
    number = np.maximum(known.sum(axis=-1), 1)
    precision = np.where(known, common / np.where(known, hypothesis, 1), 0).sum(axis=-1) / number
    recall = np.where(known, common / np.where(known, reference, 1), 0).sum(axis=-1) / number
    below = _BETA**2 * precision + recall
    return np.asarray(100 * (1 + _BETA**2) * precision * recall / np.where(below > 0, below, 1))


def _bleu(statistics: Floats) -> Floats:
    length, wanted, long = statistics[..., 0], statistics[..., 1], statistics[..., -1]
    common, total = np.split(statistics[..., 2:-1], 2, axis=-1)  # [W, L, 4] each
    # Exponential smoothing: the first order without a match counts as half a match, the next as a quarter.
    smoothed = np.where(common > 0, common, 0.5 ** np.cumsum(common == 0, axis=-1))
    defined = (total > 0).all(axis=-1) & (common > 0).any(axis=-1)
    logarithms = np.log(smoothed / np.where(total > 0, total, 1)).mean(axis=-1)
    brevity = np.minimum(0, 1 - wanted / np.where(length > 0, length, 1))
    scores = np.where(defined, 100 * np.exp(brevity + logarithms), 0)
    return np.where(long > 0, scores, np.nan)
