"""Samplers: the direction of each slot of a component, and how often it was drawn before.

Every sampler is an endless sequence: more slots do not change the earlier ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from crossin.core.draws import Ints, fractions, hashed, without_replacement
from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.mixture.recipe import Component

Floats = npt.NDArray[np.float64]


def weights_of(component: Component, directions: Sequence[tuple[str, str]], rows: Ints, pivot: str) -> Floats:
    """The share of each direction, by the component's sampler; `rows` are the rows of each direction.

    temperature: p ~ n^(1/T) (Devlin et al., multilingual BERT; Arivazhagan et al., arXiv 1907.05019).
    """
    match component.sampler:
        case "proportional":
            weights = rows.astype(np.float64)
        case "temperature":
            # Relative to the largest: powers of the numbers themselves may overflow.
            weights = (rows / rows.max()) ** (1 / component.temperature)
        case "weights":
            named = {pivot: 1.0} | component.weights
            weights = np.array(
                [math.prod(named.get(one, 0.0) for one in {*direction}) for direction in directions]
            )
        case _:
            weights = np.ones(len(directions))
    if not weights.sum():
        raise CrossinError(
            f"no language with a weight has rows to draw; there are {', '.join(map('>'.join, directions))}",
            field="weights",
            hint="give a weight to one of these languages",
        )
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def independent(slots: Ints, weights: Floats, key: int) -> Ints:
    """A direction for each slot, drawn independently with the probabilities `weights`."""
    uniform = hashed(slots, hash64(key, "direction")).astype(np.float64) / 2.0**64
    return np.minimum(np.searchsorted(np.cumsum(weights), uniform, side="right"), len(weights) - 1)


def in_turns(slots: int, capacities: Ints | None, directions: int, key: int) -> tuple[Ints, Ints]:
    """Directions in turns, each round in a new order; a direction that was drawn as often as its capacity
    drops out (UniMax: Chung et al., arXiv 2304.09151). Without capacities none drops out.

    Returns, for each of `slots` slots, the direction and how often it was drawn before; fewer where all
    directions are exhausted.
    """
    levels = [None] if capacities is None else sorted({int(capacity) for capacity in capacities if capacity})
    chosen, turns = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    left, level = slots, 0
    for upper in levels:
        active = np.arange(directions) if capacities is None else np.flatnonzero(capacities > level)
        length = left if upper is None else min(left, (upper - level) * len(active))
        local = np.arange(length)
        chosen.append(active[without_replacement(local, len(active), hash64(key, "direction", level))])
        turns.append(level + local // len(active))
        left, level = left - length, upper or 0
    return np.concatenate(chosen), np.concatenate(turns)


def in_proportion(slots: int, weights: Floats, labels: Sequence[str], key: int) -> tuple[Ints, Ints]:
    """Directions spread evenly in proportion to `weights`: the j-th draw of direction d falls at the time
    (j + f) / weight, f random in [0, 1), and the slots are the draws in order of time.

    So every direction has its share to within one draw, at any length.
    """
    chosen, turns, times = [], [], []
    for number, (weight, label) in enumerate(zip(weights, labels, strict=True)):
        mine = np.arange(int(weight * (slots + len(weights))) + 2 if weight else 0)
        chosen.append(np.full(len(mine), number, dtype=np.int16))
        turns.append(mine)
        times.append(
            (mine + fractions(mine, hash64(key, "time", label))) / weight if weight else mine.astype(float)
        )
    order = np.argsort(np.concatenate(times), kind="stable")[:slots]
    return np.concatenate(chosen)[order].astype(np.int64), np.concatenate(turns)[order]
