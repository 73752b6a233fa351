from __future__ import annotations

import pytest
import torch

from crossin.training.trainer import GradientMeter


def test_the_norm_is_of_what_was_added_since_the_last_call() -> None:
    weights = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(1))]
    meter = GradientMeter(weights)
    assert meter.added() == 0
    torch.autograd.backward(weights[0].sum() * 3)
    assert meter.added() == pytest.approx(18**0.5)
    torch.autograd.backward(weights[0].sum() * 1 + weights[1].sum() * 2)
    assert meter.added() == pytest.approx(6**0.5)
    assert meter.added() == 0
