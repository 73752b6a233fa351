"""`L_align`, and `L_consist` of completions: parallel texts near one another, with the same next tokens."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import Any

import torch
from torch import Tensor

from crossin.training.config import Consist
from crossin.training.losses import logits
from crossin.training.objectives.distances import info_nce, jensen_shannon, towards
from crossin.training.packing import Document, blocks, states
from crossin.training.rows import TrainingRow

Tokens = Sequence[int]


def align_loss(
    model: Any, texts: Sequence[tuple[Tokens, Tokens]], layers: Sequence[int], temperature: float
) -> Tensor:
    """The contrastive loss between the mean states of parallel texts, given as tokens, each read alone; the
    mean over `layers` (the middle one by default).

    The mean of a text leaves out its first token where there are more: models park attention on it, and its
    state is a hundred times as long as the others (Sun et al., "Massive Activations in Large Language
    Models", arXiv 2402.17762), so that with it all texts look alike.
    """
    flat = [(text, min(1, len(text) - 1)) for pair in texts for text in pair]
    return _contrast_of_means(model, flat, layers, temperature)


def sentence_loss(model: Any, rows: Sequence[tuple[TrainingRow, TrainingRow]], settings: Consist) -> Tensor:
    """The contrastive loss between the mean states of two completions, each read after its prompt."""
    flat = [(row.tokens, row.learned_from) for pair in rows for row in pair]
    return _contrast_of_means(model, flat, settings.layers, settings.temperature)


def _contrast_of_means(
    model: Any, texts: Sequence[tuple[Tokens, int]], layers: Sequence[int], temperature: float
) -> Tensor:
    """Two by two, the texts belong together; the mean of each is of the states from a number on."""
    documents = [Document(text) for text, _ in texts]
    lengths = [len(text) for text, _ in texts]
    losses = []
    for layer in layers or [max(1, len(blocks(model)) // 2)]:
        parts = torch.split(states(model, documents, layer=layer), lengths)
        pooled = torch.stack([part[start:].mean(0) for part, (_, start) in zip(parts, texts, strict=True)])
        losses.append(info_nce(pooled[0::2], pooled[1::2], temperature))
    return torch.stack(losses).mean()


def token_loss(
    model: Any, rows: Sequence[tuple[TrainingRow, TrainingRow]], settings: Consist
) -> tuple[Tensor, int]:
    """The mean divergence between the next-token distributions at places where two completions have the same
    token (numbers, names, code), and how many pairs have such a place; the first row is the pivot's.
    """
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
        # Computed from the states, so that this process has a backward pass too.
        return found.sum() * 0.0, 0
    device = found.device
    sides = [
        logits(model, found[torch.tensor([pair[side] for pair in places], device=device)]).log_softmax(-1)
        for side in (0, 1)
    ]
    divergence = jensen_shannon if settings.divergence == "js" else towards
    pivot = sides[0].detach() if settings.hold_pivot else sides[0]
    return divergence(pivot, sides[1]).mean(), used


def shared_places(left: TrainingRow, right: TrainingRow) -> list[tuple[int, int]]:
    """The places before tokens that two completions share, as difflib's longest matching runs; without the
    end of text, which all have.
    """
    ours, theirs = left.completion[:-1], right.completion[:-1]
    matches = SequenceMatcher(None, ours, theirs, autojunk=False).get_matching_blocks()
    return [
        (left.learned_from + match.a + step - 1, right.learned_from + match.b + step - 1)
        for match in matches
        for step in range(match.size)
    ]
