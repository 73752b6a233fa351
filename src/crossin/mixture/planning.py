"""The plan of a mixture: a pure function from a recipe, the candidate pools and a seed to draws.

Slot k of a component is decided by the seed, the component's name and k. So any part can be computed
anywhere, in any order; a component of twice the rows begins with the smaller one; and components do not
depend on each other.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from crossin.core.draws import Ints, fractions, with_replacement, without_replacement
from crossin.core.errors import CrossinError
from crossin.core.hashing import hash64
from crossin.mixture.pools import CandidatePool
from crossin.mixture.samplers import in_proportion, in_turns, independent

# The hint for a corpus that is too small.
MORE_ROWS = "raise `epochs`, set `replacement: true`, or use the sampler `unimax`"


@dataclass(frozen=True)
class Plan:
    """The draws of a mixture in the order of training; one array element for each row of the mixture.

    component, language_in, language_out: indices into `components` and `languages`. slot: the number of the
    draw in its component. row: the row of the component's corpus.
    """

    components: list[str]
    languages: list[str]
    component: npt.NDArray[np.int16]
    slot: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]
    language_in: npt.NDArray[np.int16]
    language_out: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.row)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of all draws, in hexadecimal."""
        digest = hashlib.sha256("\0".join([*self.components, "", *self.languages]).encode())
        for draws in self._draws:
            digest.update(np.ascontiguousarray(draws).data)
        return digest.hexdigest()

    @property
    def _draws(self) -> tuple[npt.NDArray[Any], ...]:
        return self.component, self.slot, self.row, self.language_in, self.language_out

    def take(self, rows: slice | Ints) -> Plan:
        """The draws at these places."""
        return Plan(self.components, self.languages, *(draws[rows] for draws in self._draws))

    def directions(self) -> list[tuple[str, str, str, Ints]]:
        """(component, language in, language out, places) of every direction."""
        width = len(self.languages)
        codes = (self.component.astype(np.int64) * width + self.language_in) * width + self.language_out
        order = np.argsort(codes, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1) if len(order) else []
        return [
            (
                self.components[self.component[places[0]]],
                self.languages[self.language_in[places[0]]],
                self.languages[self.language_out[places[0]]],
                places,
            )
            for places in groups
        ]


def draw(pool: CandidatePool, count: int) -> tuple[Ints, npt.NDArray[np.int32]]:
    """The first `count` draws of a component: (direction number, corpus row), one element a slot.

    Raises CrossinError where a direction has too few rows for the epochs that the component allows.
    """
    if pool.component.replacement:
        turns = np.arange(count)
        chosen = independent(turns, pool.weights, pool.key)
    else:
        chosen, turns = _in_order(pool, count)
        if _drawable(pool, chosen, turns) < count:
            raise _exhausted(pool, count, chosen)
    rows = np.empty(count, dtype=np.int32)
    for number, (label, found) in enumerate(zip(pool.labels, pool.rows, strict=True)):
        mine = np.flatnonzero(chosen == number)
        if pool.component.replacement:
            picked = with_replacement(turns[mine], len(found), hash64(pool.key, "row"))
        else:
            picked = without_replacement(turns[mine], len(found), hash64(pool.key, "row", label))
        rows[mine] = found[picked]
    return chosen, rows


def drawable(pool: CandidatePool, count: int) -> int:
    """The number of the first `count` slots that can be drawn before a direction is exhausted."""
    return count if pool.component.replacement else _drawable(pool, *_in_order(pool, count))


def plan(pools: Sequence[CandidatePool], counts: Sequence[int], languages: Sequence[str]) -> Plan:
    """The draws of all components in the order of training.

    Stages follow each other. Within a stage, slot k of a component of r parts is at (k + f) / r, f random in
    [0, 1): components are mixed evenly, and where all sizes grow by the same factor the larger mixture begins
    with the smaller one.
    """
    number_of = {language: number for number, language in enumerate(languages)}
    parts = math.gcd(*counts) or 1
    drawn, places, stages = [], [], []
    for number, (pool, count) in enumerate(zip(pools, counts, strict=True)):
        chosen, rows = draw(pool, count)
        slots = np.arange(count)
        ins, outs = (
            np.array([number_of[direction[side]] for direction in pool.directions] or [0], dtype=np.int16)
            for side in (0, 1)
        )
        component = np.full(count, number, dtype=np.int16)
        drawn.append((component, slots.astype(np.int32), rows, ins[chosen], outs[chosen]))
        stages.append(np.full(count, pool.component.stage))
        offsets = fractions(slots, hash64(pool.seed, pool.name, "place"))
        places.append((slots + offsets) / (count // parts or 1))
    place, stage = np.concatenate(places), np.concatenate(stages)
    one_stage = len({pool.component.stage for pool in pools}) == 1
    order = np.argsort(place, kind="stable") if one_stage else np.lexsort((place, stage))
    columns = (np.concatenate(column)[order] for column in zip(*drawn, strict=True))
    return Plan([pool.name for pool in pools], list(languages), *columns)


def _in_order(pool: CandidatePool, count: int) -> tuple[Ints, Ints]:
    """Without replacement: each slot's direction, and how often that direction was drawn before."""
    component = pool.component
    if component.sampler == "unimax":
        return in_turns(count, pool.sizes * component.epochs, len(pool.labels), pool.key)
    if component.sampler == "uniform":
        return in_turns(count, None, len(pool.labels), pool.key)
    return in_proportion(count, pool.weights, pool.labels, pool.key)


def _drawable(pool: CandidatePool, chosen: Ints, turns: Ints) -> int:
    over = np.flatnonzero(turns >= pool.sizes[chosen] * pool.component.epochs)
    return int(over[0]) if len(over) else len(chosen)


def _exhausted(pool: CandidatePool, count: int, chosen: Ints) -> CrossinError:
    component, capacities = pool.component, pool.sizes * pool.component.epochs
    drawn = np.bincount(chosen, minlength=len(capacities))
    over = np.flatnonzero(drawn > capacities)
    wanted, there = f"{count:,} rows", int(capacities.sum())
    if len(over):
        wanted = f"{drawn[over[0]]:,} rows {'>'.join(pool.directions[over[0]])}"
        there = int(capacities[over[0]])
    return CrossinError(
        f"component '{pool.name}' asks for {wanted}, but its corpus '{component.corpus}' has {there:,}"
        + (f" in {component.epochs} epochs" if component.epochs > 1 else ""),
        hint=f"ask for fewer rows, {MORE_ROWS}",
    )
