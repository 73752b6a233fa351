"""How far distributions, preferences and states in two languages are apart."""

from __future__ import annotations

import torch
from torch import Tensor


def jensen_shannon(left: Tensor, right: Tensor) -> Tensor:
    """The Jensen-Shannon divergence in nats between distributions given as log-probabilities [..., K]: 0
    where they are equal, at most ln 2. One value for each pair [...].
    """
    middle = torch.logaddexp(left, right) - torch.log(torch.tensor(2.0, dtype=left.dtype))
    return (_kl(left, middle) + _kl(right, middle)) / 2


def towards(pivot: Tensor, other: Tensor) -> Tensor:
    """The Kullback-Leibler divergence KL(pivot || other) in nats, with gradient for `other` only. Both are
    log-probabilities [..., K]; one value for each pair [...].
    """
    return _kl(pivot.detach(), other)


def direct_consistency(
    left: Tensor, right: Tensor, left_reference: Tensor, right_reference: Tensor, balance: float = 1.0
) -> Tensor:
    """Direct consistency optimisation (arXiv 2603.04678) of one pair of options in two languages.

    Each tensor holds log-likelihoods [B, 2] of the two options: under the model in the first and the second
    language, and under the reference, which has no gradient. With D the difference of the two options and o
    that of the reference, r = D - o; the loss is |r1 - o2 / b| + |r2 - b o1|: each language takes on the
    preference that the reference has in the other. One value for each item [B].
    """
    sides = (left, right, left_reference.detach(), right_reference.detach())
    one, other, one_reference, other_reference = (side[:, 0] - side[:, 1] for side in sides)
    first, second = one - one_reference, other - other_reference
    return (first - other_reference / balance).abs() + (second - balance * one_reference).abs()


def info_nce(left: Tensor, right: Tensor, temperature: float) -> Tensor:
    """The contrastive loss InfoNCE of two sets of states [B, hidden], of which row i on both sides belongs
    together: the mean of both directions, in nats, of cosines divided by `temperature`.

    After MidAlign (arXiv 2502.14830), which has one direction. B is at least 2. States without information
    have a loss of log B.
    """
    if len(left) < 2:
        raise ValueError("a contrastive loss needs at least two pairs")
    precise = torch.promote_types(left.dtype, torch.float32)
    near = torch.nn.functional.normalize(left.to(precise), dim=-1)
    other = torch.nn.functional.normalize(right.to(precise), dim=-1)
    similarity = near @ other.T / temperature
    own = torch.arange(len(left), device=left.device)
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(similarity, own) + cross_entropy(similarity.T, own)) / 2


def _kl(left: Tensor, right: Tensor) -> Tensor:
    return (left.exp() * (left - right)).sum(-1)
