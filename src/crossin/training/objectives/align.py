"""`L_align`: parallel texts near one another in the middle of the model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crossin.training.document import Document
from crossin.training.objectives.contrast import contrast
from crossin.training.passes import blocks, states

if TYPE_CHECKING:
    import torch


def align_loss(
    model: Any,
    texts: Sequence[tuple[Sequence[int], Sequence[int]]],
    layers: Sequence[int],
    temperature: float,
) -> torch.Tensor:
    """The mean over `layers` (the middle one where none is named) of the contrast between the mean states of
    parallel texts, given as tokens; every text is read alone.

    The mean leaves out the first token where there are more: models park attention on it, and its state is a
    hundred times as long as the others (Sun et al., "Massive Activations in Large Language Models", arXiv
    2402.17762), so that with it all texts look alike.
    """
    import torch

    documents = [Document(text) for pair in texts for text in pair]
    lengths = [len(document.tokens) for document in documents]
    losses = []
    for layer in layers or [max(1, len(blocks(model)) // 2)]:
        found = states(model, documents, layer=layer)
        pooled = torch.stack([part[min(1, len(part) - 1) :].mean(0) for part in torch.split(found, lengths)])
        losses.append(contrast(pooled[0::2], pooled[1::2], temperature))
    return torch.stack(losses).mean()
