"""A family of figures: the sums over items that it needs, and the figures that follow from them.

Every figure of this project is a function of sums over items. So the observed figures (each item has weight
1) and those of every bootstrap draw come from one matrix product and the same few formulas.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossin.metrics.table import Floats, Integers

Flags = npt.NDArray[np.bool_]

# A denominator is a sum or product of shares: below this it is rounding.
_ROUNDING = 1e-12


class Block(NamedTuple):
    """Columns [R, B] of some items only, those in the places `rows` [R]; 0 for all others."""

    rows: Integers
    columns: Floats


@dataclass(frozen=True, eq=False)
class Family:
    """Figures by name: `estimate` turns sums over items, for W weightings of the items, into figures of [W]
    each; nan where one is undefined.

    The sums are those of the `columns` [I, C] and then those of the `blocks`, one after the other:
    [W, C + B_1 + B_2 + ..]. Blocks save work where many columns are 0 for most items.
    """

    columns: Floats
    estimate: Callable[[Floats], dict[str, Floats]]
    blocks: tuple[Block, ...] = ()


def observed(family: Family) -> dict[str, float]:
    """The figures of a family with weight 1 for every item."""
    parts = [family.columns, *(block.columns for block in family.blocks)]
    named = family.estimate(np.hstack([part.sum(axis=0, keepdims=True) for part in parts]))
    return {name: float(values[0]) for name, values in named.items()}


def sums_of_blocks(sums: Floats, blocks: Sequence[Block]) -> list[Floats]:
    """The sums of each block, [W, B] each, at the end of a family's `sums`."""
    widths = [block.columns.shape[1] for block in blocks]
    ends = np.cumsum([sums.shape[1] - sum(widths), *widths])
    return [sums[:, start:end] for start, end in itertools.pairwise(ends)]


def ratio(part: Floats, whole: Floats) -> Floats:
    """`part / whole`, nan where the whole is not above 0 (or only by rounding)."""
    defined = whole > _ROUNDING
    return np.where(defined, part / np.where(defined, whole, 1), np.nan)


def with_mean(figure: str, names: Sequence[str], values: Floats) -> dict[str, Floats]:
    """`figure/<name>` of each column of `values` [W, N], and `figure`, their mean; none without columns."""
    named = {f"{figure}/{name}": values[:, i] for i, name in enumerate(names)}
    return named | ({figure: values.mean(axis=1)} if names else {})


def mean_family(
    name: str, parts: Sequence[str], values: Floats | Flags, counted: Flags | None = None
) -> Family:
    """`name/<part>` of P parts, such as languages: the mean of `values` [I, P] over the items `counted`
    [I, P] (all, where None).

    nan where nothing is counted. `name` is the mean over parts, nan where one of them is: a mean over
    some would be over other parts for another model.
    """
    mask = np.ones(values.shape, dtype=bool) if counted is None else counted

    def estimate(sums: Floats) -> dict[str, Floats]:
        return with_mean(name, parts, ratio(*np.split(sums, 2, axis=1)))

    return Family(np.hstack([np.where(mask, values, 0), mask], dtype=np.float64), estimate)
