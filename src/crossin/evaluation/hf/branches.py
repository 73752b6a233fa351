"""Texts that share beginnings, as branches of one row: each token's keys and values are held once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crossin.evaluation.hf.grouped import groups_of, in_groups
from crossin.evaluation.hf.scoring import Prefix, cache_of, forward, head_at
from crossin.models.masks import attention_masks


class _New(NamedTuple):
    """A token for the next pass, after the one in column `parent`. `seen` are the columns before it where
    that one is in the cache; else it sees what that one sees.
    """

    token: int
    position: int
    parent: int
    seen: list[int] | None


class Branches:
    """A cache with a column for each token, in the order in which they were computed.

    A text is a path: the columns of its tokens from the beginning. Texts that begin alike share columns, and
    each token sees its own path only, at the positions it would have alone.
    """

    def __init__(self, model: Any, prefix: Prefix, tokens: Sequence[int]) -> None:
        """Begin with a prefix of these tokens."""
        self._model = model
        self._cache = cache_of([prefix])
        self._positions = list(range(prefix.length))
        # The column of a token after that in another column (-1: at the beginning).
        self._after = {(column - 1, token): column for column, token in enumerate(tokens)}
        self._new: list[_New] = []

    @property
    def width(self) -> int:
        """How many columns there are, with those of the next pass."""
        return len(self._positions) + len(self._new)

    @property
    def fed(self) -> int:
        """How many tokens the next pass has."""
        return len(self._new)

    def known(self, tokens: Sequence[int]) -> list[int]:
        """The path of as many of the first tokens as have columns; the last is not looked up."""
        path: list[int] = []
        for token in tokens[:-1]:
            column = self._after.get((path[-1] if path else -1, token))
            if column is None:
                break
            path.append(column)
        return path

    def feed(self, path: list[int], tokens: Sequence[int], most: int) -> int:
        """Lengthen the path of a text to the columns of `tokens`, of which at most `most` are new; how many
        are.

        The last token always gets a column of its own, since the model has to say what follows it.
        """
        before = self.fed
        while len(path) < len(tokens):
            parent, token = path[-1] if path else -1, tokens[len(path)]
            column = self._after.get((parent, token)) if len(path) < len(tokens) - 1 else None
            if column is None:
                if self.fed - before == most:
                    break
                column = self.width
                self._after.setdefault((parent, token), column)
                seen = list(path) if parent < len(self._positions) else None
                self._new.append(_New(token, len(path), parent, seen))
            path.append(column)
        return self.fed - before

    def run(self, columns: Sequence[int]) -> Any:
        """Compute the tokens that were fed; the logits after each of the C `columns`, which are among theirs:
        a tensor [C, V].
        """
        import torch

        old, new = len(self._positions), self._new
        visible = np.zeros((len(new), old + len(new)), dtype=np.bool_)
        for place, one in enumerate(new):
            if one.seen is None:
                visible[place] = visible[one.parent - old]
            else:
                visible[place, one.seen] = True
            visible[place, old + place] = True
        positions = torch.tensor([one.position for one in new])
        distance = positions[:, None] - torch.tensor([*self._positions, *(one.position for one in new)])
        mask = attention_masks(self._model, torch.from_numpy(visible)[None], distance[None])
        # Where no text is complete, the head has to see something all the same.
        places = [column - old for column in columns] or [0]
        tokens = torch.tensor([[one.token for one in new]])
        with (
            head_at(self._model, [0] * len(places), places),
            in_groups(self._model, groups_of(visible)),
        ):
            logits = forward(self._model, tokens, positions[None], mask, self._cache)[0]
        self._positions += [one.position for one in new]
        self._new = []
        return logits[: len(columns)]

    def needed(self, paths: Sequence[Sequence[int]]) -> NDArray[np.intp]:
        """The columns of these paths, in order."""
        used = np.zeros(len(self._positions), dtype=np.bool_)
        for path in paths:
            used[path] = True
        return np.flatnonzero(used)

    def keep(self, columns: NDArray[np.intp], paths: Sequence[list[int]]) -> None:
        """Drop all other columns; the paths, of columns that are kept, get their new numbers."""
        import torch

        for layer in self._cache.layers:
            index = torch.from_numpy(columns).to(layer.keys.device)
            layer.keys, layer.values = layer.keys[:, :, index], layer.values[:, :, index]
        numbers = np.full(len(self._positions) + 1, -1)
        numbers[columns] = np.arange(len(columns))
        # The last stands for the beginning, which is its own predecessor.
        now = numbers.tolist()
        self._positions = [self._positions[column] for column in columns.tolist()]
        self._after = {
            (now[parent], token): now[column]
            for (parent, token), column in self._after.items()
            if now[column] >= 0
        }
        for path in paths:
            path[:] = [now[column] for column in path]
