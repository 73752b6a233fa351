"""Attention of branches in groups: tokens that see nearly the same columns are compared with those only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# The name of our attention among those of transformers.
_NAME = "crossin_branches"
# What one more group costs, and the copy of each of its columns, in comparisons of a token with a column.
_GROUP, _COLUMN = 1024, 24


class TokenGroup(NamedTuple):
    """Tokens `begin` to `end` of a pass, and the columns that any of them sees."""

    begin: int
    end: int
    columns: NDArray[np.intp]


def groups_of(visible: NDArray[np.bool_]) -> list[TokenGroup]:
    """Groups of neighbouring tokens, where `visible` [T, C] says which columns each of them sees."""
    seen = visible.sum(axis=1)
    common = (visible[1:] & visible[:-1]).sum(axis=1)
    # Another text begins where less than half of what is seen stays the same.
    borders = [0, *(np.flatnonzero(2 * common < seen[:-1]) + 1).tolist(), len(visible)]
    found: list[TokenGroup] = []
    for begin, end in pairwise(borders):
        one = TokenGroup(begin, end, np.flatnonzero(visible[begin:end].any(axis=0)))
        if found:
            both = TokenGroup(found[-1].begin, end, np.union1d(found[-1].columns, one.columns))
            if _cost(both) <= _cost(found[-1]) + _cost(one):
                found[-1] = both
                continue
        found.append(one)
    return found


def _cost(group: TokenGroup) -> int:
    return _GROUP + len(group.columns) * (group.end - group.begin + _COLUMN)


@contextmanager
def in_groups(model: Any, groups: Sequence[TokenGroup]) -> Iterator[None]:
    """Within this context the attention of the model is that of each group to its columns, where it is
    PyTorch's own on a CPU; elsewhere nothing changes. It needs a mask of all tokens and columns.
    """
    import torch
    from transformers import AttentionInterface
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    config = model.config.get_text_config()
    own = config._attn_implementation
    if own != "sdpa" or model.device.type != "cpu":
        yield
        return
    places = [(one.begin, one.end, torch.from_numpy(one.columns)) for one in groups]

    def attention(
        module: Any, query: Any, key: Any, value: Any, mask: Any, scaling: Any = None, **options: Any
    ) -> Any:
        # What else it honours; the window of a layer is in the mask.
        if any(options.get(name) is not None for name in ("position_bias", "softcap")):
            return sdpa_attention_forward(module, query, key, value, mask, scaling=scaling, **options)
        _, heads, length, size = query.shape
        # Query heads that share a key head are as many more tokens of it: nothing is copied for them.
        shared = key.shape[1]
        found = query.new_empty(1, length, heads, value.shape[-1])
        for begin, end, columns in places:
            k, v, part = key, value, mask[:, :, begin:end]
            if len(columns) < key.shape[2]:
                k, v, part = k[:, :, columns], v[:, :, columns], part[..., columns]
            q = query[:, :, begin:end].reshape(1, shared, -1, size)
            part = part.repeat(1, 1, heads // shared, 1)
            one = torch.nn.functional.scaled_dot_product_attention(q, k, v, part, scale=scaling)
            found[:, begin:end] = one.reshape(1, heads, end - begin, -1).transpose(1, 2)
        return found, None

    AttentionInterface.register(_NAME, attention)
    config._attn_implementation = _NAME
    try:
        yield
    finally:
        config._attn_implementation = own
