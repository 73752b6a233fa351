"""How far two distributions are apart: the objectives of consistent answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def jensen_shannon(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The Jensen-Shannon divergence in nats between distributions given as log-probabilities [..., K]: 0
    where they are equal, at most ln 2. One value for each pair [...].
    """
    import torch

    middle = torch.logaddexp(left, right) - torch.log(torch.tensor(2.0, dtype=left.dtype))
    return (_divergence(left, middle) + _divergence(right, middle)) / 2


def towards(pivot: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The Kullback-Leibler divergence KL(pivot || other) in nats, by which `other` alone is moved: the pivot
    gets no gradient. Both are log-probabilities [..., K]; one value for each pair [...].
    """
    return _divergence(pivot.detach(), other)


def direct_consistency(
    left: torch.Tensor,
    right: torch.Tensor,
    left_reference: torch.Tensor,
    right_reference: torch.Tensor,
    balance: float = 1.0,
) -> torch.Tensor:
    """Direct consistency optimisation (arXiv 2603.04678) of one pair of options in two languages.

    Each tensor holds log-likelihoods [B, 2] of the two options: under the model in the first and the second
    language, and under the reference, which has no gradient. With D the difference of the two options and o
    that of the reference, r = D - o; the loss is |r1 - o2 / b| + |r2 - b o1|: each language takes on the
    preference that the reference has in the other. One value for each item [B].
    """
    first, second = (
        (model[:, 0] - model[:, 1]) - (reference[:, 0] - reference[:, 1]).detach()
        for model, reference in ((left, left_reference), (right, right_reference))
    )
    liked_left = (left_reference[:, 0] - left_reference[:, 1]).detach()
    liked_right = (right_reference[:, 0] - right_reference[:, 1]).detach()
    return (first - liked_right / balance).abs() + (second - balance * liked_left).abs()


def _divergence(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return (left.exp() * (left - right)).sum(-1)
