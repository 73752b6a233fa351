"""How far distributions, preferences and states in two languages are apart."""

from __future__ import annotations

import torch


def jensen_shannon(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """The Jensen-Shannon divergence in nats between distributions given as log-probabilities [..., K]: 0
    where they are equal, at most ln 2. One value for each pair [...].
    """
    middle = torch.logaddexp(left, right) - torch.log(torch.tensor(2.0, dtype=left.dtype))
    return (_kl(left, middle) + _kl(right, middle)) / 2


def towards(pivot: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The Kullback-Leibler divergence KL(pivot || other) in nats, with gradient for `other` only. Both are
    log-probabilities [..., K]; one value for each pair [...].
    """
    return _kl(pivot.detach(), other)


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
    preference_left = (left_reference[:, 0] - left_reference[:, 1]).detach()
    preference_right = (right_reference[:, 0] - right_reference[:, 1]).detach()
    return (first - preference_right / balance).abs() + (second - balance * preference_left).abs()


def info_nce(left: torch.Tensor, right: torch.Tensor, temperature: float) -> torch.Tensor:
    """The contrastive loss InfoNCE of two sets of states [B, hidden], of which row i on both sides belongs
    together: the mean of both directions, in nats, of cosines divided by `temperature`.

    After MidAlign (arXiv 2502.14830), which has one direction. B is at least 2. States without information
    have a loss of log B.
    """
    if len(left) < 2:
        raise ValueError("a contrastive loss needs at least two pairs")
    near = torch.nn.functional.normalize(left.float(), dim=-1)
    other = torch.nn.functional.normalize(right.float(), dim=-1)
    similarity = near @ other.T / temperature
    own = torch.arange(len(left), device=left.device)
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(similarity, own) + cross_entropy(similarity.T, own)) / 2


def _kl(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return (left.exp() * (left - right)).sum(-1)
