"""Units of the plan in, scores out: prefixes kept while they serve, batches that fit the memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossin.errors import CrossinError
from crossin.evaluate.engine import Scores
from crossin.evaluate.hf.passes import NO_PREFIX, Prefix, extend, logprobs
from crossin.evaluate.hf.plan import Unit
from crossin.evaluate.hf.tokens import Continuation
from crossin.evaluate.hf.trie import Tree, grow

Requests = Mapping[int, Sequence[Continuation]]


def score_units(
    model: Any, requests: Requests, units: Sequence[Unit], batch_tokens: int
) -> Iterator[tuple[int, Scores]]:
    """The scores of all requests of `units`, each with its number, batch by batch.

    Units go through the model together as long as they fill no more than `batch_tokens` tokens, and one at a
    time where that is 0. Where the memory does not suffice, that is halved for good, down to single requests.
    Raises CrossinError where one request alone is too much.
    """
    import torch

    prefixes: dict[tuple[tuple[int, ...], ...], Prefix] = {}
    begin = 0
    while begin < len(units):
        batch = _batch(requests, units, begin, batch_tokens)
        try:
            with torch.inference_mode():
                found = _score(model, requests, batch, prefixes)
        except RuntimeError as error:
            prefixes.clear()
            _expect_out_of_memory(error)
            if len(batch) > 1:
                batch_tokens = sum(_size(requests, unit) for unit in batch) // 2
                continue
            with torch.inference_mode():
                found = _score_halves(model, requests, batch[0])
        yield from found
        begin += len(batch)


def _batch(requests: Requests, units: Sequence[Unit], begin: int, batch_tokens: int) -> Sequence[Unit]:
    """The units from number `begin` on that go through the model together: one at least."""
    end, widest = begin, 0
    while end < len(units):
        widest = max(widest, _size(requests, units[end]))
        if end > begin and widest * (end + 1 - begin) > batch_tokens:
            break
        end += 1
    return units[begin:end]


def _size(requests: Requests, unit: Unit) -> int:
    """About how many tokens a unit's pass has, prefix included."""
    return unit.depth + sum(
        len(option.tokens) - unit.depth for number in unit.requests for option in requests[number]
    )


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


def _score_halves(model: Any, requests: Requests, unit: Unit) -> list[tuple[int, Scores]]:
    """The scores of a unit that is too much for the memory: half of its requests at a time."""
    if len(unit.requests) == 1:
        raise CrossinError(
            "one question alone needs more memory than there is",
            fix="use --dtype bfloat16 or 4bit, another device, or --truncate left",
        )
    middle = len(unit.requests) // 2
    found: list[tuple[int, Scores]] = []
    for numbers, owed in ((unit.requests[:middle], unit.owed), (unit.requests[middle:], 0)):
        half = Unit(unit.prefix, numbers, owed)
        try:
            found += _score(model, requests, [half], {})
        except RuntimeError as error:
            _expect_out_of_memory(error)
            found += _score_halves(model, requests, half)
    return found


def _expect_out_of_memory(error: RuntimeError) -> None:
    """Make room after a pass that was too much for the memory; raise `error` where it is something else.

    Only CUDA has a class for it; the CPU and Apple's MPS say it in words.
    """
    import torch

    words = ("out of memory", "can't allocate memory")
    if not isinstance(error, torch.OutOfMemoryError) and not any(one in str(error) for one in words):
        raise error
    torch.cuda.empty_cache()


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
