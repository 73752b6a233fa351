"""What a gate looks at, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """A row's texts and their claimed translations, by field ('' where there is none). `cut` says that the
    engine reached the limit of its tokens.
    """

    source: Mapping[str, str]
    target: Mapping[str, str]
    cut: bool = False


@dataclass(frozen=True)
class Verdict:
    """Why a translation is not kept, in which field, with a detail for people; all '' where it passes.

    `figures` are the gates' figures of the row, the same names for every row.
    """

    reason: str
    field: str
    detail: str
    figures: Mapping[str, float]
