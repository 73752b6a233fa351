"""Do row i of one language and row i of another belong together? By their texts, in sets of any size.

A row that belongs elsewhere corresponds to its claimed partner as to any stranger. Rows do not change places
alone: where none of them corresponds better to another claimed partner than to its own, a pair with little in
common is a free translation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from crossin.bench.lexicon import Floats, Ints, Lexicon
from crossin.items.item import Item

# Fewer rows do not show which words go together.
_ENOUGH = 30
# In files of this many rows, a pair with little in common is a sign by itself.
_MANY = 500
# Rows that are compared with each other: neighbours, since rows change places within a subject.
_BLOCK = 1000
# Shares of strangers that correspond worse than a row's pair; from the last but one, the pair is near them.
_LEVELS = (0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99, 0.999)
_STRANGER, _NEAR = _LEVELS.index(0.97), _LEVELS.index(0.99)
# Rows change places where at least this many rows, and this share of all, look like strangers.
_LEAST, _SHARE = 6, 0.02
# How much better a row that changed places corresponds to its new partner.
_GAIN = 3.0
# How many rows more than strangers account for may be among them.
_TOLERATED, _FEW = 1.15, 2
# How far the median pair must be above a row's best stranger, so that a partner elsewhere says something.
_ABOVE = 0.5
# A median pair below this is compared at other offsets, too; below the second, nothing belongs together.
_DOUBTFUL, _NOTHING, _ROWS = 3.0, 1.0, 100
# Rows that are enough to see whether all have slipped.
_SLIPPED = 500
_OFFSETS = (1, -1, 2, -2, 3, -3)
_NEIGHBOURS = 4
# Rows that change places in a circle are followed so far.
_CHAIN = 8


@dataclass(frozen=True)
class RowOrder:
    """How n claimed pairs of rows belong together.

    `apart` are the rows that belong elsewhere, `doubtful` those that have little in common, though the rows
    around them are in order. `offset` is not 0 where all rows belong to the row so many places further, and
    None where no order can be seen although there is enough to see one.
    """

    apart: Ints
    doubtful: Ints
    offset: int | None = 0


def compare_rows(pairs: Sequence[tuple[Item, Item]]) -> RowOrder:
    """Whether the items of each of the n pairs, of two languages, belong together.

    They are compared by all their texts, and other partners are looked for within a task first.
    """
    one, two = ([_text(pair[side]) for pair in pairs] for side in (0, 1))
    return compare_texts(one, two, [first.task for first, _ in pairs])


def compare_texts(one: Sequence[str], two: Sequence[str], blocks: Sequence[str] | None = None) -> RowOrder:
    """The same for n texts in two languages; `blocks` has the name of each one's task."""
    nothing = np.zeros(0, np.int64)
    if len(one) < _ENOUGH:
        return RowOrder(nothing, nothing)
    scores = _compare(one, two, blocks or [""] * len(one))
    middle = float(np.median(scores.own))
    if middle < max(_DOUBTFUL, scores.best + _ABOVE):
        better = {offset: _at(one, two, offset) for offset in _OFFSETS}
        offset = max(better, key=lambda place: better[place])
        if better[offset] > max(2 * _NOTHING, middle + 1):
            return RowOrder(nothing, nothing, offset)
    if middle < _NOTHING and len(one) >= _ROWS:
        return RowOrder(nothing, nothing, None)
    return _apart(scores)


def _text(item: Item) -> str:
    answers = item.options or [item.answer, *item.aliases]
    return "\n".join([item.question, *answers, item.context])


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


def _compare(one: Sequence[str], two: Sequence[str], blocks: Sequence[str]) -> _Scores:
    """`blocks` names the block that each of the n rows is compared within; long ones are divided."""
    lexicon = Lexicon.fit(one, two)
    count = len(one)
    own, gain, rank = np.zeros(count), np.zeros(count), np.zeros(count)
    partner = np.full(count, -1)
    quantiles, best, sizes = [], [], []
    order = np.argsort(np.unique(blocks, return_inverse=True)[1], kind="stable")
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


def _apart(scores: _Scores) -> RowOrder:
    own, levels = scores.own, scores.strangers
    near = scores.rank < 1 - _LEVELS[_STRANGER]
    true = own[near] if near.any() else own
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
        return RowOrder(np.flatnonzero(moved), np.flatnonzero(low & ~moved))
    apart = moved
    for level, most in zip(_LEVELS[: _STRANGER + 1], levels, strict=False):
        low = own < min(most, middle - 2 * spread)
        if low.sum() <= _TOLERATED * strangers * level + _FEW:
            apart = moved | low
    around = np.convolve(apart, np.ones(2 * _NEIGHBOURS + 1), "same") - apart
    apart |= (own < levels[_NEAR]) & (around >= _NEIGHBOURS)
    return RowOrder(np.flatnonzero(apart), np.zeros(0, np.int64))


def _at(one: Sequence[str], two: Sequence[str], offset: int) -> float:
    """The median score where row i belongs to row i + `offset`, of the rows in the middle."""
    begin = max(0, (len(one) - _SLIPPED) // 2)
    one, two = one[begin : begin + _SLIPPED], two[begin : begin + _SLIPPED]
    ours, theirs = (one[:-offset], two[offset:]) if offset > 0 else (one[-offset:], two[:offset])
    return float(np.median(_compare(ours, theirs, [""] * len(ours)).own))
