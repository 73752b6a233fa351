"""`L_prefer`: the chosen answer becomes likelier than the rejected one, compared with a reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from crossin.training.config import Prefer
from crossin.training.objectives.answers import option_logprobs
from crossin.training.pairs import TokenizedQuestion


def preference_loss(
    model: Any,
    pairs: Sequence[TokenizedQuestion],
    references: Sequence[Sequence[float]],
    settings: Prefer,
) -> tuple[Tensor, Tensor]:
    """The mean loss of direct preference optimisation (DPO, arXiv 2305.18290), and the margin of each pair
    [pairs], without gradient.

    A pair's two options are the chosen and the rejected answer; `references` are their log-likelihoods under
    the model before training. With c and r the log-likelihoods of the two less those of the reference, the
    margin is beta (c - r) and the loss -log sigmoid(margin). With smoothing e it is the mean of the losses of
    this order, weighed 1 - e, and of the other one, weighed e (conservative DPO).
    """
    found = torch.stack(option_logprobs(model, pairs, settings.length))
    gained = found - torch.tensor(references, dtype=found.dtype, device=found.device)
    margin = settings.beta * (gained[:, 0] - gained[:, 1])
    log_sigmoid = torch.nn.functional.logsigmoid
    losses = -(1 - settings.smoothing) * log_sigmoid(margin) - settings.smoothing * log_sigmoid(-margin)
    return losses.mean(), margin.detach()
