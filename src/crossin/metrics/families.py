"""A family of figures: what sums over items it needs, and how the figures follow from them.

Every figure of this project is a function of sums over items. So the observed figures (each item weighs 1)
and those of every bootstrap draw come from one matrix product and the same few formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from crossin.metrics.table import Floats

# A whole is a sum or product of shares: what is left of one below this is rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Family:
    """Figures by name: `estimate` turns sums over items [W, C] of `columns` [I, C], for W weightings of the
    items, into figures of [W] each; nan where one is undefined.
    """

    columns: Floats
    estimate: Callable[[Floats], dict[str, Floats]]


def observed(family: Family) -> dict[str, float]:
    """The figures of a family with every item weighing 1."""
    named = family.estimate(family.columns.sum(axis=0, keepdims=True))
    return {name: float(values[0]) for name, values in named.items()}


def ratio(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, nan where the whole is 0 or below, but for rounding."""
    defined = whole > _ROUNDING
    return np.where(defined, part / np.where(defined, whole, 1), np.nan)
