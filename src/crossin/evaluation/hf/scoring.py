"""Units of the plan in, scores out: prefixes kept while they serve, batches that fit the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossin.evaluation.engine import Scores
from crossin.evaluation.hf.passes import NO_PREFIX, Prefix, extend, logprobs
from crossin.evaluation.hf.plan import Unit
from crossin.evaluation.hf.tokens import Continuation
from crossin.evaluation.hf.trie import Tree, grow
from crossin.models.memory import is_out_of_memory

Requests = Mapping[int, Sequence[Continuation]]


def score_units(
    model: Any, requests: Requests, units: Sequence[Unit], batch_tokens: int
) -> Iterator[tuple[int, Scores]]:
    """The scores of all requests of `units`, each with its number, batch by batch.

    Units go through the model together as long as they fill no more than `batch_tokens` tokens, and one at a
    time where that is 0. Where the memory does not suffice, that is halved for good, down to single requests;
    where one alone is too much, the error is torch's own.
    """
    import torch

    prefixes: dict[tuple[tuple[int, ...], ...], Prefix] = {}
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
        # Not before here does the error let go of what the failed pass held.
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


def _batch(requests: Requests, waiting: Sequence[Unit], batch_tokens: int) -> Sequence[Unit]:
    """The units from the end of `waiting` that go through the model together: one at least."""
    count, widest = 0, 0
    for unit in reversed(waiting):
        widest = max(widest, _size(requests, unit))
        if count and widest * (count + 1) > batch_tokens:
            break
        count += 1
    return waiting[: -count - 1 : -1]


def _size(requests: Requests, unit: Unit) -> int:
    """About how many tokens a unit's pass has, prefix included."""
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
    prefixes: dict[tuple[tuple[int, ...], ...], Prefix],
) -> list[tuple[int, Scores]]:
    used = [_prefix(model, unit.prefix, prefixes) for unit in units]
    needed = {unit.prefix[:length] for unit in units for length in range(len(unit.prefix) + 1)}
    for chain in prefixes.keys() - needed:
        del prefixes[chain]
    trees = [grow([requests[number] for number in unit.requests], unit.depth) for unit in units]
    found: list[tuple[int, Scores]] = []
    for unit, tree, logarithms in zip(units, trees, logprobs(model, trees, used), strict=True):
        found += _scores(requests, unit, tree, logarithms)
    return found


def _prefix(
    model: Any, chain: tuple[tuple[int, ...], ...], prefixes: dict[tuple[tuple[int, ...], ...], Prefix]
) -> Prefix:
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
