"""Forward passes over trees of tokens behind cached prefixes, with the head at scored places only."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossin.evaluation.hf.trie import Tree
from crossin.models.masks import attention_masks

if TYPE_CHECKING:
    import torch

# The log-sum-exp of so many logits at a time: its copies of them then stay in the cores' caches.
_AT_ONCE = 2**21


@dataclass(frozen=True)
class Prefix:
    """Keys and values of P tokens at every layer, each [1, heads, P, size of a head]."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]
    length: int


NO_PREFIX = Prefix([], 0)


def extend(model: Any, prefix: Prefix, tokens: Sequence[int]) -> Prefix:
    """The prefix with `tokens` behind it, in one causal pass that runs no head."""
    import torch

    columns = torch.arange(prefix.length + len(tokens))
    positions = columns[prefix.length :]
    distance = positions[:, None] - columns[None, :]
    cache = _cache([prefix])
    # At the beginning of a sequence the model's own causal mask will do, which costs half the attention.
    mask = attention_masks(model, distance[None] >= 0, distance[None]) if prefix.length else None
    with _head_at(model, [0], [0]):
        _forward(model, torch.tensor([list(tokens)]), positions[None], mask, cache)
    return Prefix([(layer.keys, layer.values) for layer in cache.layers], len(columns))


def logprobs(model: Any, trees: Sequence[Tree], prefixes: Sequence[Prefix]) -> list[list[list[float]]]:
    """The natural logarithms of the probabilities of every scored token, in float32: for each tree, for each
    option of its requests.

    Trees go through the model as rows of one batch, each behind its own prefix; shorter rows and prefixes are
    filled up with places that nothing sees.
    """
    import torch

    width = max(len(tree.tokens) for tree in trees)
    before = max(prefix.length for prefix in prefixes)
    tokens = torch.zeros(len(trees), width, dtype=torch.long)
    positions = torch.zeros(len(trees), width, dtype=torch.long)
    columns = torch.zeros(len(trees), before + width, dtype=torch.long)
    visible = torch.zeros(len(trees), width, before + width, dtype=torch.bool)
    for row, (tree, prefix) in enumerate(zip(trees, prefixes, strict=True)):
        length = len(tree.tokens)
        tokens[row, :length] = torch.tensor(tree.tokens)
        positions[row, :length] = torch.tensor(tree.positions)
        columns[row, before - prefix.length : before] = torch.arange(prefix.length)
        columns[row, before : before + length] = positions[row, :length]
        visible[row, :length, before - prefix.length : before] = True
        visible[row, :length, before : before + length] = torch.from_numpy(tree.visible)
        # A place that sees nothing at all can overflow in float16, and what is not a number spreads.
        visible[row, length:, before] = True
    # Options share the place where they part: each place goes through the head once.
    scored = [(row, place) for row, tree in enumerate(trees) for path in tree.places for place in path]
    once = {place: number for number, place in enumerate(sorted(set(scored)))}
    mask = attention_masks(model, visible, positions[:, :, None] - columns[:, None, :])
    with _head_at(model, [row for row, _ in once], [place for _, place in once]):
        logits = _forward(model, tokens, positions, mask, _cache(prefixes))[0]
    wanted = torch.tensor([once[place] for place in scored], device=logits.device)
    targets = torch.tensor(
        [token for tree in trees for option in tree.targets for token in option], device=logits.device
    )
    rows = max(2, _AT_ONCE // logits.shape[-1])
    totals = torch.cat([torch.logsumexp(some.float(), dim=-1) for some in torch.split(logits, rows)])
    found = iter((logits[wanted, targets].float() - totals[wanted]).tolist())
    return [[[next(found) for _ in option] for option in tree.targets] for tree in trees]


def _cache_argument(model: Any) -> str:
    """What this model, in this version of transformers, calls its cache."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def _cache(prefixes: Sequence[Prefix]) -> Any:
    """The prefixes as rows of one cache, which the pass may grow; shorter ones are filled up on the left."""
    import torch
    from transformers import DynamicCache

    longest = max(prefix.length for prefix in prefixes)
    if not longest:
        return DynamicCache()

    def filled(layer: int, part: int) -> torch.Tensor:
        like = next(prefix for prefix in prefixes if prefix.length).layers[layer][part]
        rows = []
        for prefix in prefixes:
            kept = prefix.layers[layer][part] if prefix.length else like[:, :, :0]
            rows.append(torch.nn.functional.pad(kept, (0, 0, longest - prefix.length, 0)))
        return torch.cat(rows) if len(rows) > 1 else rows[0]

    layers = max(len(prefix.layers) for prefix in prefixes)
    return DynamicCache([(filled(layer, 0), filled(layer, 1)) for layer in range(layers)])


def _forward(
    model: Any, tokens: torch.Tensor, positions: torch.Tensor, mask: Any, cache: Any
) -> torch.Tensor:
    """The logits at the places that the head was narrowed to, of `tokens` [B, T] at `positions` [B, T]."""
    output = model(
        input_ids=tokens.to(model.device),
        position_ids=positions.to(model.device),
        attention_mask=mask,
        use_cache=True,
        **{_cache_argument(model): cache},
    )
    logits: torch.Tensor = output.logits
    return logits


@contextmanager
def _head_at(model: Any, rows: Sequence[int], places: Sequence[int]) -> Iterator[None]:
    """While it lasts, the head sees only the states at these rows and places, as one row.

    Not every model can be told where its logits are wanted, and none row by row; the head's own input can
    always be narrowed, and what the model does behind its head (scaling, capping) stays in place.
    """
    hook = model.get_output_embeddings().register_forward_pre_hook(
        lambda _, states: (states[0][rows, places][None],)
    )
    try:
        yield
    finally:
        hook.remove()
