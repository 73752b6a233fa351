from __future__ import annotations

import math

import pytest
import torch

from crossin.training.objectives.distances import direct_consistency, info_nce, jensen_shannon, towards


def logprobs(*shape: int, seed: int = 0) -> torch.Tensor:
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.log_softmax(-1)


def test_jensen_shannon_is_the_mean_divergence_from_the_middle() -> None:
    left, right = logprobs(4, seed=1), logprobs(4, seed=2)
    p, q = left.exp().tolist(), right.exp().tolist()
    due = 0.0
    for a, b in zip(p, q, strict=True):
        middle = (a + b) / 2
        due += (a * math.log(a / middle) + b * math.log(b / middle)) / 2
    assert jensen_shannon(left, right).item() == pytest.approx(due)
    assert jensen_shannon(right, left).item() == pytest.approx(due)


def test_jensen_shannon_is_0_for_the_same_and_ln_2_for_what_has_nothing_in_common() -> None:
    left = logprobs(3, 4)
    assert jensen_shannon(left, left).abs().max() < 1e-12
    sure = torch.tensor([[100.0, 0.0], [0.0, 100.0]], dtype=torch.float64).log_softmax(-1)
    assert jensen_shannon(sure[0], sure[1]).item() == pytest.approx(math.log(2))


def test_the_divergence_towards_the_pivot_moves_the_other_alone() -> None:
    pivot = logprobs(2, 4, seed=1).requires_grad_()
    other = torch.randn(2, 4, dtype=torch.float64, requires_grad=True)
    torch.autograd.backward(towards(pivot, other.log_softmax(-1)).sum())
    assert pivot.grad is None
    # The gradient of a cross-entropy: the softmax less the target.
    assert other.grad is not None
    assert torch.allclose(other.grad, other.softmax(-1) - pivot.exp(), atol=1e-9)


def test_direct_consistency_is_0_where_each_language_has_taken_on_the_others_preference() -> None:
    left_reference, right_reference = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 3.0]])
    # The differences of the reference are 1 and -3: each is moved by the other's.
    left, right = torch.tensor([[-2.0, 0.0]]), torch.tensor([[0.0, 2.0]])
    assert direct_consistency(left, right, left_reference, right_reference).item() == 0
    assert direct_consistency(left_reference, right_reference, left_reference, right_reference).item() == 4


@pytest.mark.parametrize("function", [jensen_shannon, lambda a, b: towards(a.detach(), b)])
def test_gradients_are_those_of_differences(function: object) -> None:
    raw = [torch.randn(3, 5, dtype=torch.float64, requires_grad=True) for _ in range(2)]

    def through(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = function(left.log_softmax(-1), right.log_softmax(-1))  # type: ignore[operator]
        return result

    if function is not jensen_shannon:
        raw[0].requires_grad_(False)
    assert torch.autograd.gradcheck(through, raw)


def test_a_contrast_is_the_mean_cross_entropy_of_both_directions() -> None:
    drawn = torch.Generator().manual_seed(0)
    left, right = (torch.randn(3, 4, generator=drawn) for _ in range(2))
    near = [[float(torch.cosine_similarity(a, b, dim=0)) / 0.1 for b in right] for a in left]
    due = 0.0
    for table in (near, list(map(list, zip(*near, strict=True)))):
        for i, row in enumerate(table):
            due += (math.log(sum(math.exp(value) for value in row)) - row[i]) / 6
    assert info_nce(left, right, 0.1).item() == pytest.approx(due, rel=1e-4)


def test_a_contrast_falls_as_pairs_come_together_and_needs_another_pair() -> None:
    left = torch.eye(4)
    assert info_nce(left, left, 0.1) < 1e-3
    assert info_nce(left, torch.ones(4, 4), 0.1).item() == pytest.approx(math.log(4))
    with pytest.raises(ValueError, match="two pairs"):
        info_nce(left[:1], left[:1], 0.1)
