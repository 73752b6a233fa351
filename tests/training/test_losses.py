"""Losses at the learned places, against autograd of the plain cross-entropy."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from crossin.training.config import Method
from crossin.training.losses import _AT_ONCE, logits, token_losses
from crossin.training.method import apply
from tests.helpers.small_models import small_model

KINDS = ["llama", "cohere", "gemma2"]


def inputs(places: int = 11) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    drawn = torch.Generator().manual_seed(3)
    states = torch.randn(places, 32, generator=drawn, dtype=torch.float64) * 3
    targets = torch.randint(300, (places,), generator=drawn)
    return states.requires_grad_(), targets, torch.rand(places, generator=drawn, dtype=torch.float64)


def plain(model: Any, states: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(logits(model, states), targets, reduction="none")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("at_once", [1, 900, 2**23])
def test_losses_and_gradients_are_those_of_autograd(
    kind: str, trained: bool, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(_AT_ONCE, "cpu", at_once)
    model = small_model(kind).requires_grad_(trained)
    states, targets, weights = inputs()
    wanted = [states, *([model.get_output_embeddings().weight] if trained else [])]
    each = plain(model, states, targets)
    expected = torch.autograd.grad(5 * (each * weights).sum(), wanted)
    loss, losses = token_losses(model, states, targets, weights)
    assert not losses.requires_grad
    torch.testing.assert_close(losses, each.detach())
    torch.testing.assert_close(loss, (each * weights).sum())
    torch.testing.assert_close(torch.autograd.grad(5 * loss, wanted), expected)


def test_a_head_with_a_bias_gets_its_gradient() -> None:
    model = small_model("llama")
    model.set_output_embeddings(torch.nn.Linear(32, 300, dtype=torch.float64))
    states, targets, weights = inputs()
    bias = model.get_output_embeddings().bias
    expected = torch.autograd.grad((plain(model, states, targets) * weights).sum(), bias)
    loss, _ = token_losses(model, states, targets, weights)
    torch.testing.assert_close(torch.autograd.grad(loss, bias), expected)


def test_an_all_but_impossible_token_has_a_finite_loss() -> None:
    """Its probability is below the smallest number of float32."""
    model = small_model("llama").float()
    states, targets, weights = (part.detach() for part in inputs())
    states = (states * 100).float().requires_grad_()
    _, losses = token_losses(model, states, targets, weights.float())
    assert losses.max() > 200
    torch.testing.assert_close(losses, plain(model, states, targets).detach())


def test_half_precision_loses_no_more_than_its_rounding() -> None:
    model = small_model("llama").bfloat16()
    states, targets, weights = (part.detach() for part in inputs())
    short, exact = states.bfloat16().requires_grad_(), states.bfloat16().double().requires_grad_()
    loss, losses = token_losses(model, short, targets, weights.float())
    loss.backward()  # type: ignore[no-untyped-call]
    expected = plain(model.double(), exact, targets)
    (expected * weights).sum().backward()  # type: ignore[no-untyped-call]
    assert losses.dtype == torch.float32 and short.grad is not None and exact.grad is not None
    torch.testing.assert_close(losses.double(), expected.detach(), rtol=0.02, atol=0.05)
    torch.testing.assert_close(short.grad.double(), exact.grad, rtol=0.05, atol=0.02)


def test_without_gradient_the_losses_are_the_same() -> None:
    model = small_model("llama")
    states, targets, weights = inputs()
    with torch.no_grad():
        loss, losses = token_losses(model, states, targets, weights)
    assert not loss.requires_grad
    torch.testing.assert_close(losses, plain(model, states, targets).detach())


def test_of_a_trained_copy_of_the_head_the_copy_counts() -> None:
    model = apply(small_model("llama"), Method(embeddings=True), 0)
    wrapper = model.get_base_model().get_output_embeddings()
    trained = wrapper.modules_to_save["default"].weight
    torch.nn.init.normal_(trained, std=0.5)
    states, targets, weights = inputs()
    loss, losses = token_losses(model, states, targets, weights)
    expected = torch.nn.functional.cross_entropy(states @ trained.T, targets, reduction="none")
    torch.testing.assert_close(losses, expected.detach())
    assert torch.autograd.grad(loss, trained)[0].abs().sum() > 0
    with model.disable_adapter():
        _, before = token_losses(model, states, targets, weights)
    original = wrapper.original_module.weight
    expected = torch.nn.functional.cross_entropy(states @ original.T, targets, reduction="none")
    torch.testing.assert_close(before, expected.detach())


def test_the_logits_are_those_of_the_model() -> None:
    for kind in KINDS:
        model = small_model(kind)
        tokens = torch.tensor([[5, 6, 7]])
        states = model.base_model(input_ids=tokens).last_hidden_state[0]
        torch.testing.assert_close(logits(model, states), model(input_ids=tokens).logits[0])


def test_what_is_only_read_between_answers_has_no_loss() -> None:
    from crossin.training.losses import row_losses
    from crossin.training.packing import prepare
    from crossin.training.rows import Group, TrainingRow

    model = small_model("llama")
    prepare(model)
    tokens = list(range(5, 21))
    row = TrainingRow(0, "", Group("", "", ""), tokens, 3, ((5, 9), (12, 13)))
    labels = torch.tensor([[token if place in row.places else -100 for place, token in enumerate(tokens)]])
    assert list(row.places) == [3, 4, 9, 10, 11, 13, 14, 15]
    expected = model(torch.tensor([tokens]), labels=labels).loss
    other = TrainingRow(1, "", Group("", "", ""), tokens[::-1], 4)
    loss, each = row_losses(model, [other, row], [0.0, 1 / row.learned])
    torch.testing.assert_close(loss, expected, check_dtype=False, rtol=1e-5, atol=1e-5)
    assert [len(losses) for losses in each] == [12, 8]
