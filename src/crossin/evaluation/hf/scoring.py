"""Scores of units: prefixes computed once and cached, batches that fit the memory, the head at scored places
only.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossin.evaluation.engine import Scores
from crossin.evaluation.hf.tokens import Continuation
from crossin.evaluation.hf.units import Tree, Unit, token_tree
from crossin.models.masks import attention_masks
from crossin.models.memory import is_out_of_memory

if TYPE_CHECKING:
    import torch

Requests = Mapping[int, Sequence[Continuation]]
Chain = tuple[tuple[int, ...], ...]
# Logits per call of logsumexp: its copies of them then stay in the cores' caches.
_AT_ONCE = 2**21


@dataclass(frozen=True)
class Prefix:
    """Keys and values of P tokens at every layer, each [1, heads, P, size of a head]."""

    layers: list[tuple[torch.Tensor, torch.Tensor]]
    length: int


NO_PREFIX = Prefix([], 0)


def score_units(
    model: Any, requests: Requests, units: Sequence[Unit], batch_tokens: int
) -> Iterator[tuple[int, Scores]]:
    """The scores of all requests of `units`, each with its number, batch by batch.

    Batches have up to `batch_tokens` tokens; with 0, each unit is a batch. Out of memory, that is halved for
    good, down to single requests; where one alone is too much, the error is torch's own.
    """
    import torch

    prefixes: dict[Chain, Prefix] = {}
    waiting = list(reversed(units))
    while waiting:
        batch = _batch(requests, waiting, batch_tokens)
        found = None
        try:
            with torch.inference_mode():
                found = _score(model, requests, batch, prefixes)
        except RuntimeError as error:
            if not is_out_of_memory(error) or (len(batch) == 1 and len(batch[0].requests) == 1):
                raise
        # Only here has the error released what the failed batch held.
        if found is None:
            prefixes.clear()
            torch.cuda.empty_cache()
            if len(batch) > 1:
                batch_tokens = sum(_size(requests, unit) for unit in batch) // 2
            else:
                waiting[-1:] = _halves(waiting[-1])
            continue
        yield from found
        del waiting[-len(batch) :]


def extend(model: Any, prefix: Prefix, tokens: Sequence[int]) -> Prefix:
    """The prefix followed by `tokens`, in one causal forward pass that runs no head."""
    import torch

    columns = torch.arange(prefix.length + len(tokens))
    positions = columns[prefix.length :]
    distance = positions[:, None] - columns[None, :]
    cache = cache_of([prefix])
    # At the beginning of a sequence the model's own causal mask will do, which costs half the attention.
    mask = attention_masks(model, distance[None] >= 0, distance[None]) if prefix.length else None
    with head_at(model, [0], [0]):
        forward(model, torch.tensor([list(tokens)]), positions[None], mask, cache)
    return Prefix([(layer.keys, layer.values) for layer in cache.layers], len(columns))


def logprobs(model: Any, trees: Sequence[Tree], prefixes: Sequence[Prefix]) -> list[list[list[float]]]:
    """The natural logarithms of the probabilities of every scored token, in float32: for each tree, for each
    option of its requests.

    Trees are the rows of one batch, each after its own prefix; shorter rows and prefixes are padded with
    places that nothing sees.
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
    with head_at(model, [row for row, _ in once], [place for _, place in once]):
        logits = forward(model, tokens, positions, mask, cache_of(prefixes))[0]
    wanted = torch.tensor([once[place] for place in scored], device=logits.device)
    targets = torch.tensor(
        [token for tree in trees for option in tree.targets for token in option], device=logits.device
    )
    rows = max(2, _AT_ONCE // logits.shape[-1])
    totals = torch.cat([torch.logsumexp(some.float(), dim=-1) for some in torch.split(logits, rows)])
    found = iter((logits[wanted, targets].float() - totals[wanted]).tolist())
    return [[[next(found) for _ in option] for option in tree.targets] for tree in trees]


def _batch(requests: Requests, waiting: Sequence[Unit], batch_tokens: int) -> Sequence[Unit]:
    """The units from the end of `waiting` that make the next batch: at least one."""
    count, widest = 0, 0
    for unit in reversed(waiting):
        widest = max(widest, _size(requests, unit))
        if count and widest * (count + 1) > batch_tokens:
            break
        count += 1
    return waiting[: -count - 1 : -1]


def _size(requests: Requests, unit: Unit) -> int:
    """About how many tokens a unit has, prefix included."""
    return unit.depth + sum(
        options[0].start - unit.depth + sum(len(option.tokens) - option.start for option in options)
        for options in (requests[number] for number in unit.requests)
    )


def _halves(unit: Unit) -> list[Unit]:
    """The unit as two, the one that comes first last."""
    middle = len(unit.requests) // 2
    return [
        Unit(unit.prefix, unit.requests[middle:], 0),
        Unit(unit.prefix, unit.requests[:middle], unit.owed),
    ]


def _score(
    model: Any,
    requests: Requests,
    units: Sequence[Unit],
    prefixes: dict[Chain, Prefix],
) -> list[tuple[int, Scores]]:
    used = prefixes_of(model, units, prefixes)
    trees = [token_tree([requests[number] for number in unit.requests], unit.depth) for unit in units]
    found: list[tuple[int, Scores]] = []
    for unit, tree, logarithms in zip(units, trees, logprobs(model, trees, used), strict=True):
        found += _scores(requests, unit, tree, logarithms)
    return found


def prefixes_of(model: Any, units: Sequence[Unit], prefixes: dict[Chain, Prefix]) -> list[Prefix]:
    """The prefix of each unit. `prefixes` has those of units before, and afterwards only those of these."""
    used = [_prefix(model, unit.prefix, prefixes) for unit in units]
    needed = {unit.prefix[:length] for unit in units for length in range(len(unit.prefix) + 1)}
    for chain in prefixes.keys() - needed:
        del prefixes[chain]
    return used


def _prefix(model: Any, chain: Chain, prefixes: dict[Chain, Prefix]) -> Prefix:
    """The keys and values of a chain of runs, which are computed where `prefixes` lacks them."""
    if not chain:
        return NO_PREFIX
    if chain not in prefixes:
        prefixes[chain] = extend(model, _prefix(model, chain[:-1], prefixes), chain[-1])
    return prefixes[chain]


def _scores(
    requests: Requests, unit: Unit, tree: Tree, logarithms: list[list[float]]
) -> Iterator[tuple[int, Scores]]:
    options = iter(logarithms)
    owed = unit.owed
    for number, own in zip(unit.requests, tree.own, strict=True):
        found = [next(options) for _ in requests[number]]
        computed = own + owed
        without_sharing = sum(len(option.tokens) - 1 for option in requests[number])
        yield (
            number,
            Scores(
                [sum(one) for one in found], [len(one) for one in found], computed, without_sharing - computed
            ),
        )
        owed = 0


def _cache_argument(model: Any) -> str:
    """The name of the cache's argument in this model and version of transformers."""
    return "cache" if "cache" in inspect.signature(model.forward).parameters else "past_key_values"


def cache_of(prefixes: Sequence[Prefix]) -> Any:
    """The prefixes as rows of one cache, which may grow; shorter ones are padded on the left."""
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


def forward(model: Any, tokens: torch.Tensor, positions: torch.Tensor, mask: Any, cache: Any) -> torch.Tensor:
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
def head_at(model: Any, rows: Sequence[int], places: Sequence[int]) -> Iterator[None]:
    """Within this context the head sees only the states at these rows and places, as one row.

    Not every model takes the places where its logits are wanted, and none row by row; the head's own input
    can always be narrowed, and what the model does after its head (scaling, capping) stays in place.
    """
    hook = model.get_output_embeddings().register_forward_pre_hook(
        lambda _, states: (states[0][rows, places][None],)
    )
    try:
        yield
    finally:
        hook.remove()
