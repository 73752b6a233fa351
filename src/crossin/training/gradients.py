"""How much each term of the loss pulls: the norm of what it adds to the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class GradientMeter:
    """Measures what one backward pass after another adds to the gradients of `weights`; it copies them."""

    def __init__(self, weights: Sequence[torch.nn.Parameter]) -> None:
        self._weights = weights
        self._before: list[torch.Tensor | None] = [None] * len(weights)

    def added(self) -> float:
        """The norm of what has been added since the last call, or since the gradients were none."""
        import torch

        added = []
        for number, weight in enumerate(self._weights):
            if weight.grad is None:
                continue
            now = weight.grad.detach()
            before = self._before[number]
            added.append((now if before is None else now - before).float())
            self._before[number] = now.clone()
        return float(torch.nn.utils.get_total_norm(added)) if added else 0.0
