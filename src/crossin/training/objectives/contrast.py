"""The contrastive loss that draws the states of parallel texts together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def contrast(left: torch.Tensor, right: torch.Tensor, temperature: float) -> torch.Tensor:
    """InfoNCE over two sets of states [B, hidden], of which row i on both sides belongs together: the mean of
    both directions, in nats, of cosines divided by `temperature`.

    After MidAlign (arXiv 2502.14830), which has one direction. B is at least 2: else there is nothing to tell
    a text from. The log of B is what states that say nothing cost.
    """
    import torch

    if len(left) < 2:
        raise ValueError("a contrast needs at least two pairs")
    near = torch.nn.functional.normalize(left.float(), dim=-1)
    other = torch.nn.functional.normalize(right.float(), dim=-1)
    alike = near @ other.T / temperature
    own = torch.arange(len(left), device=left.device)
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(alike, own) + cross_entropy(alike.T, own)) / 2
