"""The loss of the rows: the completion's tokens and its end, each after all before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from crossin.training.document import Document, Row
from crossin.training.head import token_losses
from crossin.training.passes import states

if TYPE_CHECKING:
    import torch


def row_losses(
    model: Any, rows: Sequence[Row], weights: Sequence[float]
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """The sum over the rows of weight times negative log-likelihood (nats) of the row's learned tokens, and
    these tokens' negative log-likelihoods by row, without gradient.

    The head runs at the places before learned tokens only.
    """
    import torch

    found = states(model, [Document(row.tokens) for row in rows])
    places: list[int] = []
    targets: list[int] = []
    start = 0
    for row in rows:
        places += range(start + row.learned_from - 1, start + len(row.tokens) - 1)
        targets += row.tokens[row.learned_from :]
        start += len(row.tokens)
    counts = [len(row.tokens) - row.learned_from for row in rows]
    device = found.device
    loss, each = token_losses(
        model,
        found[torch.tensor(places, device=device)],
        torch.tensor(targets, device=device),
        torch.tensor(weights, device=device).repeat_interleave(torch.tensor(counts, device=device)),
    )
    return loss, list(torch.split(each, counts))


def row_weights(rows: Sequence[Row], step: Sequence[Row], weigh: str) -> list[float]:
    """What one learned token of each of `rows` weighs in the loss of the whole `step`: the same for all
    tokens, or with `weigh="row"` the same for all rows, however many tokens they have.
    """
    if weigh == "row":
        return [1 / (len(step) * (len(row.tokens) - row.learned_from)) for row in rows]
    learned = sum(len(row.tokens) - row.learned_from for row in step)
    return [1 / learned] * len(rows)
