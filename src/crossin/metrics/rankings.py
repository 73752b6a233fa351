"""RankC: how similarly two languages rank all options, not only the first."""

from __future__ import annotations

import math
from statistics import fmean

import numpy as np
import numpy.typing as npt

from crossin.metrics.families import Family, mean_family, observed
from crossin.metrics.pairwise import pair_names
from crossin.metrics.table import AnswerTable, Floats, Integers, require_parallel


def rankc(table: AnswerTable, logprobs: Floats) -> Floats:
    """RankC of every two languages, in 0..1, 1 on the diagonal: [L, L].

    `logprobs` [I, L, K], as `read_logprobs` gives them: nan beyond an item's options, and throughout a cell
    that has none. For an item with N options, of which top_j(x) are the j likeliest in language x,

        RankC = sum_j w_j |top_j(x) & top_j(y)| / j,  w_j = e^(N-j) / sum_k e^(N-k),  j, k = 1 .. N

    and then the mean over items: Qi, Fernandez and Bisazza 2023 (arXiv 2310.10378). Options that are equally
    likely rank in the order of their positions. An item that lacks log-probabilities in one of two languages
    is left out for these two (`ranked` counts the others); nan where all are left out.

    It is neither 0 where nothing is shared nor corrected for chance: with 4 options, opposite rankings score
    .0902 (`rankc_floor`) and random ones .3768 (`rankc_chance`). Languages with the same bias for a position
    share a ranking, too.
    """
    matrix = np.eye(len(table.languages))
    first, second = np.triu_indices(len(matrix), k=1)
    found = observed(rankc_family(table, logprobs))
    matrix[first, second] = matrix[second, first] = [found[f"rankc/{name}"] for name in pair_names(table)]
    return matrix


def ranked(table: AnswerTable, logprobs: Floats) -> Integers:
    """The number of items with log-probabilities in both of two languages: [L, L]."""
    present = _present(table, logprobs).astype(np.int64)
    return present.T @ present


def rankc_chance(options: int) -> float:
    """The RankC that two random rankings of this many options have on average: `sum_j w_j j / N`, exactly.

    Each option is among the first j of one ranking with chance j / N, so the two share j^2 / N of them.
    """
    sizes = np.arange(1, options + 1)
    return float(_weights(options) @ sizes / options)


def rankc_floor(options: int) -> float:
    """The lowest RankC of two rankings of this many options, that of opposite ones, exactly:
    `sum_j w_j max(0, 2j - N) / j`.

    Two sets of j among N options share at least 2j - N; where one ranking is the other reversed, its first j
    are the other's last j, which share no more for any j.
    """
    sizes = np.arange(1, options + 1)
    return float(_weights(options) @ (np.maximum(0, 2 * sizes - options) / sizes))


def rankc_references(table: AnswerTable, logprobs: Floats) -> tuple[float, float]:
    """`rankc_floor` and `rankc_chance` for the items of a table that have log-probabilities in two languages
    or more: the means over these items; nan where there are none.
    """
    options = table.options[_present(table, logprobs).sum(axis=1) >= 2].tolist()
    if not options:
        return math.nan, math.nan
    return fmean(map(rankc_floor, options)), fmean(map(rankc_chance, options))


def rankc_family(table: AnswerTable, logprobs: Floats) -> Family:
    """`rankc/<x>+<y>` of every two languages, and `rankc`, their mean, which is nan where one of them is.

    None for a table of one language. Raises CrossinError where the table is not parallel.
    """
    require_parallel(table)
    present = _present(table, logprobs)
    first, second = np.triu_indices(len(table.languages), k=1)
    both = present[:, first] & present[:, second]
    return mean_family("rankc", pair_names(table), _overlaps(table, logprobs, first, second), both)


def _overlaps(table: AnswerTable, logprobs: Floats, first: Integers, second: Integers) -> Floats:
    """RankC of each item and pair of languages: [I, P].

    An option is in both tops from the larger of its two ranks on, and adds w_j / j for every such j.
    """
    # Stable, and nan last: the options that an item does not have take the last ranks in every language.
    order = np.argsort(-logprobs, axis=2, kind="stable")
    ranks = np.argsort(order, axis=2)  # [I, L, K], from 0
    most = logprobs.shape[2]
    added = np.zeros((most + 1, most))  # by number of options and larger rank
    for options in np.unique(table.options):
        parts = _weights(options) / np.arange(1, options + 1)
        added[options, :options] = parts[::-1].cumsum()[::-1]
    result = np.zeros((len(table.items), len(first)))
    for option in range(most):
        larger = np.maximum(ranks[:, first, option], ranks[:, second, option])
        result += added[table.options[:, None], larger]
    return result


def _weights(options: int) -> Floats:
    """w_1 .. w_N, [N], sum 1."""
    powers = np.exp(-np.arange(options, dtype=np.float64))
    return np.asarray(powers / powers.sum())


def _present(table: AnswerTable, logprobs: Floats) -> npt.NDArray[np.bool_]:
    """Whether a cell has log-probabilities: [I, L]."""
    items, languages = table.answers.shape
    if logprobs.shape != (items, languages, table.options.max()):
        raise ValueError(f"log-probabilities of shape {logprobs.shape} do not match the table of answers")
    needed = np.arange(logprobs.shape[2]) < table.options[:, None, None]
    return np.asarray((~np.isnan(logprobs) | ~needed).all(axis=2))
