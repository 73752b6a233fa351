"""Do row i of one language and row i of another belong together? By their texts, in sets of any size.

A row that belongs elsewhere corresponds to its claimed partner as to any stranger. Rows do not change places
alone: where none of them corresponds better to another claimed partner than to its own, a pair with little in
common is a free translation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from crossin.bench.lexicon import Floats, Ints, Lexicon
from crossin.items.item import Item

Flags = npt.NDArray[np.bool_]

# Fewer rows do not show which words go together.
_ENOUGH = 30
# From so many rows on, a pair with little in common is a sign by itself.
_MANY = 500
# Rows that are compared with each other: neighbours, since rows change places within a subject.
_BLOCK = 1000
# Shares of strangers that correspond worse than a row's pair; from the last but one, the pair is near them.
_LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99, 0.999)
_STRANGER, _NEAR = _LEVELS.index(0.97), _LEVELS.index(0.99)
# Rows change places where at least so many rows, and such a share of all, look like strangers.
_LEAST, _SHARE = 6, 0.02
# How much better a row that changed places corresponds to its new partner.
_GAIN = 3.0
# How many rows more than strangers account for may be among them.
_TOLERATED, _FEW = 1.15, 2
# How far the median pair must be above a row's best stranger, so that a partner elsewhere says something.
_ABOVE = 0.5
# A median pair below this is compared at other offsets, too; below the second, nothing belongs together.
_DOUBTFUL, _NOTHING, _ROWS = 3.0, 1.0, 100
_OFFSETS = (1, -1, 2, -2, 3, -3)
_NEIGHBOURS = 4
# Rows that change places in a circle are followed so far.
_CHAIN = 8


@dataclass(frozen=True)
class Order:
    """How n claimed pairs of rows belong together.

    `apart` are the rows that belong elsewhere, `doubtful` those that have little in common, though the rows
    around them are in order. `offset` is not 0 where all rows belong to the row so many places further, and
    None where no order can be seen although there is enough to see one.
    """

    apart: Ints
    doubtful: Ints
    offset: int | None = 0


def compared_text(item: Item) -> str:
    """What an item is compared by: all its texts."""
    said = item.options or [item.answer, *item.aliases]
    return "\n".join([item.question, *said, item.context])


def judge(one: Sequence[str], two: Sequence[str], blocks: Sequence[str] | None = None) -> Order:
    """Whether row i of `one` and row i of `two` belong together, for all n rows.

    `blocks` has the name of each row's task: partners are looked for within a task first.
    """
    nothing = np.zeros(0, np.int64)
    if len(one) < _ENOUGH:
        return Order(nothing, nothing)
    scores = _compare(one, two, blocks)
    middle = float(np.median(scores.own))
    if middle < max(_DOUBTFUL, scores.best + _ABOVE):
        better = {offset: _at(one, two, offset) for offset in _OFFSETS}
        offset = max(better, key=lambda place: better[place])
        if better[offset] > max(2 * _NOTHING, middle + 1):
            return Order(nothing, nothing, offset)
    if middle < _NOTHING and len(one) >= _ROWS:
        return Order(nothing, nothing, None)
    return _apart(scores)


@dataclass(frozen=True)
class _Scores:
    """How the claimed pairs correspond, in standard deviations above strangers.

    `own` (n,) are the pairs; `partner` (n,) is the row of the other side that row i belongs to rather, where
    that one belongs to no other, else -1, and `gain` (n,) its score; `rank` (n,) is the share of strangers
    that correspond better than the pair. `strangers` are the quantiles of strangers' scores at `_LEVELS`, and
    `best` is the median row's best stranger.
    """

    own: Floats
    partner: Ints
    gain: Floats
    rank: Floats
    strangers: Floats
    best: float


def _compare(one: Sequence[str], two: Sequence[str], blocks: Sequence[str] | None) -> _Scores:
    lexicon = Lexicon.fit(one, two)
    count = len(one)
    own, gain, rank = np.zeros(count), np.zeros(count), np.zeros(count)
    partner = np.full(count, -1)
    quantiles, best, sizes = [], [], []
    order = (
        np.arange(count)
        if blocks is None
        else np.argsort(np.unique(blocks, return_inverse=True)[1], kind="stable")
    )
    pieces = -(-count // _BLOCK)
    for rows in np.array_split(order, pieces):
        places = np.arange(len(rows))
        found = lexicon.between(rows, rows)
        found[places, places] = lexicon.own[rows]
        score = _standard(found, 1) / 2 + _standard(found, 0) / 2
        own[rows] = score[places, places]
        above = (score > own[rows, None]).mean(1) + (score > own[None, rows]).mean(0)
        rank[rows] = above / 2
        nearest = score.argmax(1)
        mutual = (score.argmax(0)[nearest] == places) & (nearest != places)
        partner[rows] = np.where(mutual, rows[nearest], -1)
        gain[rows] = score.max(1)
        score[places, places] = -np.inf
        best.append(np.median(score.max(1)))
        quantiles.append(np.quantile(score[np.isfinite(score)], _LEVELS))
        sizes.append(len(rows))
    mean = np.average(quantiles, axis=0, weights=sizes)
    return _Scores(own, partner, gain, rank, mean, float(np.mean(best)))


def _standard(found: Floats, axis: int) -> Floats:
    """Each row's (axis 1) or column's values in standard deviations from their mean."""
    spread = np.maximum(found.std(axis, keepdims=True), 1e-6)
    return np.asarray((found - found.mean(axis, keepdims=True)) / spread)


def _apart(scores: _Scores) -> Order:
    own, levels = scores.own, scores.strangers
    true = own[scores.rank < 1 - _LEVELS[_STRANGER]] if np.any(scores.rank < 1 - _LEVELS[_STRANGER]) else own
    middle = float(np.median(true))
    spread = max(1.4826 * float(np.median(middle - true[true <= middle])), 0.3)
    there = np.maximum(scores.partner, 0)
    moved = (scores.partner >= 0) & (own < levels[_STRANGER]) & (scores.gain > own + _GAIN)
    moved &= (scores.gain > middle - 2 * spread) & (middle > scores.best + _ABOVE)
    # Of rows that change places, each one's new partner has lost its own, too.
    for _ in range(_CHAIN):
        moved &= moved[there]
    strangers = 2 * np.count_nonzero(scores.rank > 0.5)
    if strangers < max(_LEAST, _SHARE * len(own)) or middle < scores.best:
        clear = len(own) >= _MANY and middle > scores.best + _ABOVE
        low = clear & (own < min(levels[_STRANGER], middle - 4 * spread))
        return Order(np.flatnonzero(moved), np.flatnonzero(low & ~moved))
    apart = moved
    for level, most in zip(_LEVELS[: _STRANGER + 1], levels, strict=False):
        low = own < min(most, middle - 2 * spread)
        if low.sum() <= _TOLERATED * strangers * level + _FEW:
            apart = moved | low
    around = np.convolve(apart, np.ones(2 * _NEIGHBOURS + 1), "same") - apart
    apart |= (own < levels[_NEAR]) & (around >= _NEIGHBOURS)
    return Order(np.flatnonzero(apart), np.zeros(0, np.int64))


def _at(one: Sequence[str], two: Sequence[str], offset: int) -> float:
    """The median score where row i belongs to row i + `offset`."""
    ours, theirs = (one[:-offset], two[offset:]) if offset > 0 else (one[-offset:], two[:offset])
    return float(np.median(_compare(ours, theirs, None).own))
