"""What languages would agree on by chance.

Each language keeps its shares of positions, but in random order over the items. Where items are in pools
(`AnswerTable.pools`), the order is random within each pool only: a reply to "the capital of Austria" is not
compared by chance with one to "the author of Hamlet". The chance of all items is the mean over the pools,
each weighted by its items: Conger's expected agreement, stratified.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from crossin.metrics.families import Block
from crossin.metrics.table import AnswerTable, Floats


def chance_blocks(table: AnswerTable, *, least: int = 2) -> tuple[Block, ...]:
    """For each pool, its items with the columns 1 and, by language and position, whether the language chose
    it: [R, 1 + L U], U the positions that at least `least` languages ever chose. Agreement needs two.

    A table without pools is one pool.
    """
    rows_of: dict[str, list[int]] = {}
    for row, pool in enumerate(table.pools):
        rows_of.setdefault(pool, []).append(row)
    blocks = []
    for rows in map(np.array, rows_of.values()) if rows_of else [np.arange(len(table.items))]:
        answers = table.answers[rows]
        # What is below 0, a missing answer, goes to the last two places.
        seen = np.zeros((answers.shape[1], int(table.options[rows].max()) + 2), dtype=bool)
        seen[np.arange(len(seen)), answers] = True
        positions = np.flatnonzero(seen[:, :-2].sum(axis=0) >= least)
        chosen = (answers[:, :, None] == positions).reshape(len(rows), -1)
        columns = np.hstack([np.ones((len(rows), 1)), chosen], dtype=np.float64)
        blocks.append(Block(rows, columns))
    return tuple(blocks)


def chance_of_sizes(sums: Sequence[Floats], languages: int, sizes: Sequence[int]) -> Floats:
    """The expected consistency of s languages, for S `sizes`, [W, S], from the sums [W, 1 + L U] of each of
    the `chance_blocks`: the mean over pools of `sum_a e_s(p_1a .. p_La) / C(L, s)`, with p_la the share of
    the pool's items (those without an answer included) on which language l chose position a.
    """
    items = sum(part[:, :1] for part in sums)
    found = np.zeros((len(sums[0]), len(sizes)))
    for part in sums:
        means = mean_products(_shares(part).T.reshape(languages, -1, len(part)))
        found += part[:, :1] / items * means[list(sizes)].sum(axis=1).T
    return found


def chance_of_pairs(sums: Sequence[Floats], languages: int) -> Floats:
    """The expected agreement of every two languages, [W, L, L], from the sums of `chance_blocks`: the mean
    over pools of `sum_a p_xa p_ya`.
    """
    items = sum(part[:, :1] for part in sums)
    found = np.zeros((len(sums[0]), languages, languages))
    for part in sums:
        shares = _shares(part).reshape(len(part), languages, -1)
        found += (part[:, :1] / items)[:, :, None] * (shares @ shares.transpose(0, 2, 1))
    return found


def _shares(sums: Floats) -> Floats:
    """Shares of a pool's items, 0 where a draw has none of them."""
    return np.asarray(sums[:, 1:] / np.maximum(sums[:, :1], 1))


def mean_products(shares: Floats) -> Floats:
    """The mean over all subsets of s languages of the product of their shares, for s = 0 .. L:
    [L, K, W] -> [L + 1, K, W].

    That is e_s / C(L, s), e_s the elementary symmetric polynomial. The recurrence
    `e_s(p_1 .. p_l) = e_s(p_1 .. p_l-1) + p_l e_s-1(p_1 .. p_l-1)` replaces the sum over subsets. All its
    terms are positive, so nothing cancels; C(L, s) is a float for up to 1,029 languages.
    """
    languages = len(shares)
    sums = np.zeros((languages + 1, *shares.shape[1:]))
    sums[0] = 1
    room = np.empty((languages, *shares.shape[1:]))
    for count, share in enumerate(shares, start=1):
        sums[1 : count + 1] += np.multiply(share, sums[:count], out=room[:count])
    subsets = np.array([float(math.comb(languages, size)) for size in range(languages + 1)])
    return np.asarray(sums / subsets[:, None, None])
