"""Which requests go through the model together, and which beginnings are computed once for many of them.

The plan depends on the requests alone, not on what has been answered, the memory or the number of processes;
so a unit of it always gives the same figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from crossin.evaluation.hf.tokens import Continuation

# A unit this long keeps two cores busy; in a longer one more time goes into attention that the mask discards.
TOKENS = 512
# A shared beginning shorter than this is computed again in every unit: a pass of its own would cost more.
SHORTEST_PREFIX = 64


@dataclass(frozen=True)
class Unit:
    """Requests (by number) that are computed in one pass.

    `prefix` holds what all of them begin with, as runs of tokens, each computed once behind the one before
    it, for this unit and its neighbours. `owed` counts the tokens of the prefix that are on this unit's
    account: those that no earlier unit has.
    """

    prefix: tuple[tuple[int, ...], ...]
    requests: tuple[int, ...]
    owed: int

    @property
    def depth(self) -> int:
        """How many tokens the prefix has."""
        return sum(map(len, self.prefix))


def plan(
    requests: Sequence[Sequence[Continuation]],
    *,
    tokens: int = TOKENS,
    places: int | None = None,
) -> list[Unit]:
    """Units of about `tokens` tokens and `places` scored places, no limit if None, that hold every request
    once.

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
