"""A text on its way through the model: what it is made of, and which places matter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Group(NamedTuple):
    """What a row's loss is told apart by: its component (else its kind), and its two languages."""

    component: str
    lang_in: str
    lang_out: str


@dataclass(frozen=True)
class Row:
    """One row of the mixture as tokens: those from number `learned_from` (at least 1) on are learned.

    `number` (from 0) is its place in the mixture; `id` is shared by its translations, or empty.
    """

    number: int
    id: str
    group: Group
    tokens: Sequence[int]
    learned_from: int


@dataclass(frozen=True)
class Document:
    """A text of T tokens that sees itself alone: each token all before it, or, where its branches restart
    their positions, the places that `visible` (T x T, true where the row sees the column) says.

    `positions` are 0 to T - 1 where it holds none.
    """

    tokens: Sequence[int]
    positions: Sequence[int] | None = None
    visible: np.ndarray | None = field(default=None, compare=False)
