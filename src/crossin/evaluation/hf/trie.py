"""The tokens of a unit as a tree: what several continuations begin with stands in it once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crossin.evaluation.hf.tokens import Continuation


@dataclass(frozen=True)
class Tree:
    """T tokens behind a prefix of `depth` tokens, laid out in one row so that each stands behind those it
    continues.

    `positions` [T] count from the beginning of the sequence, prefix included; `visible` [T, T] tells which
    token (row) sees which (column), itself included; all see the whole prefix. For every option of every
    request, one behind another, `places` and `targets` hold what is scored: token `target` after the token in
    place `place`. `own` [requests] counts the tokens that came in with each request.
    """

    depth: int
    tokens: list[int]
    positions: list[int]
    visible: NDArray[np.bool_]
    places: list[list[int]]
    targets: list[list[int]]
    own: list[int]


def grow(requests: Sequence[Sequence[Continuation]], depth: int) -> Tree:
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
