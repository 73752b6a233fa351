"""`L_consist`: the same answer in two languages, for items, tokens and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from crossin.core.hashing import hash64
from crossin.training.config import Consist
from crossin.training.document import Document, Row
from crossin.training.head import logits
from crossin.training.objectives.answers import option_logprobs
from crossin.training.objectives.contrast import contrast
from crossin.training.objectives.divergence import direct_consistency, jensen_shannon, towards
from crossin.training.pairs import Asked
from crossin.training.passes import blocks, states

if TYPE_CHECKING:
    import torch


def answer_loss(
    model: Any,
    questions: Sequence[tuple[Asked, Asked]],
    settings: Consist,
    references: Sequence[tuple[Sequence[float], Sequence[float]]] = (),
    key: str = "",
) -> torch.Tensor:
    """The mean divergence between the distributions over an item's options in two languages, the first of
    which is the pivot. With `dco`, `references` are the log-likelihoods under the model as it came, and `key`
    decides which two options are compared.
    """
    import torch

    found = option_logprobs(model, [one for pair in questions for one in pair], settings.length)
    losses = []
    for number, (left, right) in enumerate(zip(found[0::2], found[1::2], strict=True)):
        if settings.divergence == "dco":
            two = _two_of(len(left), f"{key}/{number}")
            held = [torch.tensor(one, device=left.device)[None, two] for one in references[number]]
            losses.append(direct_consistency(left[None, two], right[None, two], held[0], held[1])[0])
        else:
            measure = jensen_shannon if settings.divergence == "js" else towards
            pivot = left.detach() if settings.hold_pivot else left
            losses.append(measure(pivot.log_softmax(-1), right.log_softmax(-1)))
    return torch.stack(losses).mean()


def _two_of(options: int, key: str) -> list[int]:
    first = hash64("options", key) % options
    second = hash64("other option", key) % (options - 1)
    return [first, second + (second >= first)]


def token_loss(model: Any, rows: Sequence[tuple[Row, Row]], settings: Consist) -> tuple[torch.Tensor, int]:
    """The mean divergence between the next-token distributions at places where two completions have the same
    token (numbers, names, code), and how many pairs have such a place; the first row is the pivot's.
    """
    import torch

    found = states(model, [Document(row.tokens) for pair in rows for row in pair])
    places: list[tuple[int, int]] = []
    start = used = 0
    for left, right in rows:
        begin = start + len(left.tokens)
        shared = shared_places(left, right)
        places += [(start + one, begin + other) for one, other in shared]
        used += bool(shared)
        start = begin + len(right.tokens)
    if not places:
        # Of the states, so that this process too goes back through the model.
        return found.sum() * 0.0, 0
    device = found.device
    sides = [
        logits(model, found[torch.tensor([pair[side] for pair in places], device=device)]).log_softmax(-1)
        for side in (0, 1)
    ]
    measure = jensen_shannon if settings.divergence == "js" else towards
    pivot = sides[0].detach() if settings.hold_pivot else sides[0]
    return measure(pivot, sides[1]).mean(), used


def shared_places(left: Row, right: Row) -> list[tuple[int, int]]:
    """The places before tokens that two completions share, as difflib's longest matching runs; the end of the
    text, which all have, is none of them.
    """
    ours, theirs = left.tokens[left.learned_from : -1], right.tokens[right.learned_from : -1]
    blocks_found = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [
        (left.learned_from + block.a + step - 1, right.learned_from + block.b + step - 1)
        for block in blocks_found
        for step in range(block.size)
    ]


def sentence_loss(model: Any, rows: Sequence[tuple[Row, Row]], settings: Consist) -> torch.Tensor:
    """The contrast between the mean states of two completions, each read behind its prompt."""
    import torch

    flat = [row for pair in rows for row in pair]
    losses = []
    for layer in settings.layers or [max(1, len(blocks(model)) // 2)]:
        found = states(model, [Document(row.tokens) for row in flat], layer=layer)
        parts = torch.split(found, [len(row.tokens) for row in flat])
        pooled = torch.stack(
            [part[row.learned_from :].mean(0) for part, row in zip(parts, flat, strict=True)]
        )
        losses.append(contrast(pooled[0::2], pooled[1::2], settings.temperature))
    return torch.stack(losses).mean()
