"""Which requests go through the model together, and which beginnings are computed once for many of them.

Units depend on the requests alone, not on what has been answered, the memory or the number of processes; so a
unit always gives the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crossin.evaluation.hf.tokens import Continuation

# A unit this long keeps two cores busy; in a longer one more time goes into attention that the mask discards.
TOKENS = 512
# A shared beginning shorter than this is recomputed in every unit: a forward pass of its own costs more.
SHORTEST_PREFIX = 64


@dataclass(frozen=True)
class Unit:
    """Requests (by number) that are computed in one forward pass.

    `prefix` holds what all of them begin with, as runs of tokens, each computed once after the one before it,
    for this unit and its neighbours. `owed` counts the tokens of the prefix that this unit is the first to
    need.
    """

    prefix: tuple[tuple[int, ...], ...]
    requests: tuple[int, ...]
    owed: int

    @property
    def depth(self) -> int:
        """How many tokens the prefix has."""
        return sum(map(len, self.prefix))


def plan_units(
    requests: Sequence[Sequence[Continuation]], *, tokens: int = TOKENS, places: int | None = None
) -> list[Unit]:
    """Units of about `tokens` tokens and `places` scored places (None: any) that hold every request once.

    A request is never divided, so that one of more tokens is a unit of its own.
    """
    shared = [_shared(options) for options in requests]
    order = sorted(range(len(requests)), key=lambda number: (shared[number], _tokens(requests[number])))
    beginnings = [shared[number] for number in order]
    common = [0, *(_common(one, other) for one, other in pairwise(beginnings))]
    own = [_nodes(requests[number]) for number in order]
    scored = [sum(len(one.tokens) - one.start for one in requests[number]) for number in order]
    paid: set[tuple[tuple[int, ...], ...]] = set()

    def size(low: int, high: int, depth: int) -> int:
        return own[low] - depth + sum(own[place] - common[place] for place in range(low + 1, high))

    def unit(low: int, high: int, prefix: tuple[tuple[int, ...], ...]) -> Unit:
        owed = 0
        for number in range(1, len(prefix) + 1):
            if prefix[:number] not in paid:
                paid.add(prefix[:number])
                owed += len(prefix[number - 1])
        return Unit(prefix, tuple(order[low:high]), owed)

    def fits(low: int, high: int, depth: int) -> bool:
        enough = places is None or sum(scored[low:high]) <= places
        return high - low == 1 or (enough and size(low, high, depth) <= tokens)

    units: list[Unit] = []
    # Beginnings may be nested by the thousand, deeper than Python calls itself.
    pieces: list[tuple[int, int, tuple[tuple[int, ...], ...], int]] = (
        [(0, len(order), (), 0)] if order else []
    )
    while pieces:
        low, high, prefix, depth = pieces.pop()
        if fits(low, high, depth):
            units.append(unit(low, high, prefix))
            continue
        branch = min(common[low + 1 : high])
        if branch - depth >= SHORTEST_PREFIX:
            prefix, depth = (*prefix, beginnings[low][depth:branch]), branch
        parts = [low]
        for first, last in pairwise(
            [low, *(place for place in range(low + 1, high) if common[place] <= branch), high]
        ):
            # What belongs together beyond the branch stays together; as many as fit go into one unit.
            if first > parts[-1] and not fits(parts[-1], last, depth):
                parts.append(first)
        pieces += [(first, last, prefix, depth) for first, last in reversed(list(pairwise([*parts, high])))]
    return units


@dataclass(frozen=True)
class Tree:
    """The T tokens of a unit after a prefix of `depth` tokens, in one row: what several continuations begin
    with is there once, and each token comes after those it continues.

    `positions` [T] count from the beginning of the sequence, prefix included; `visible` [T, T] says which
    token (row) sees which (column), itself included; all see the whole prefix. For every option of every
    request in turn, `places` and `targets` hold what is scored: token `target` after the token in place
    `place`. `own` [requests] counts the tokens that came in with each request.
    """

    depth: int
    tokens: list[int]
    positions: list[int]
    visible: NDArray[np.bool_]
    places: list[list[int]]
    targets: list[list[int]]
    own: list[int]


def token_tree(requests: Sequence[Sequence[Continuation]], depth: int) -> Tree:
    """The tree of the requests' options, all of which begin with the same `depth` tokens; an option's last
    token predicts nothing that is scored, and is left out.
    """
    tokens: list[int] = []
    parents: list[int] = []
    positions: list[int] = []
    known: dict[tuple[int, int], int] = {}
    places: list[list[int]] = []
    targets: list[list[int]] = []
    own: list[int] = []
    for options in requests:
        before = len(tokens)
        for option in options:
            place = -1
            path = []
            for position in range(depth, len(option.tokens) - 1):
                token = option.tokens[position]
                found = known.get((place, token))
                if found is None:
                    found = known[place, token] = len(tokens)
                    tokens.append(token)
                    parents.append(place)
                    positions.append(position)
                place = found
                path.append(place)
            places.append(path[option.start - 1 - depth :])
            targets.append(list(option.tokens[option.start :]))
        own.append(len(tokens) - before)
    visible = np.zeros((len(tokens), len(tokens)), dtype=np.bool_)
    for place, parent in enumerate(parents):
        if parent >= 0:
            visible[place] = visible[parent]
        visible[place, place] = True
    return Tree(depth, tokens, positions, visible, places, targets, own)


def _tokens(options: Sequence[Continuation]) -> list[tuple[int, ...]]:
    return [option.tokens for option in options]


def _shared(options: Sequence[Continuation]) -> tuple[int, ...]:
    """What all options of a request begin with, up to before the token that predicts the first scored one."""
    beginning = options[0].tokens[: min(option.start for option in options) - 1]
    for option in options[1:]:
        beginning = beginning[: _common(beginning, option.tokens)]
    return beginning


def _nodes(options: Sequence[Continuation]) -> int:
    """How many tokens have to be computed for a request alone, each common beginning once."""
    wholes = sorted(option.tokens[:-1] for option in options)
    return len(wholes[0]) + sum(len(after) - _common(before, after) for before, after in pairwise(wholes))


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences have in common at their beginning."""
    shortest = min(len(one), len(other))
    if one[:shortest] == other[:shortest]:
        return shortest
    low, high = 0, shortest
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle)
    return low
