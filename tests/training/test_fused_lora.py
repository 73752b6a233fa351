"""Fused LoRA layers compute, learn, switch off and save what PEFT's own do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft.utils import get_peft_model_state_dict
from safetensors.torch import load_file

from crossin.training.config import Method
from crossin.training.fused_lora import fuse
from crossin.training.method import apply
from tests.helpers.small_models import small_model

TOKENS = torch.tensor([[5, 6, 7, 8], [20, 21, 22, 23]])


def adapted(kind: str = "llama", dtype: torch.dtype = torch.float64, **settings: Any) -> Any:
    model = apply(small_model(kind).to(dtype), Method(rank=4, alpha=12, **settings), 0)
    for name, weight in model.named_parameters():
        if "lora_" in name:
            # PEFT holds them in float32 where the model is in half precision.
            weight.data = weight.data.to(torch.promote_types(dtype, torch.float32))
            torch.nn.init.normal_(weight, std=0.2, generator=torch.Generator().manual_seed(1))
    return model.train()


def logits_and_gradients(model: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    logits = model(input_ids=TOKENS).logits
    logits.double().pow(2).mean().backward()
    return logits.detach(), {
        name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None
    }


@pytest.mark.parametrize("rslora", [False, True])
@pytest.mark.parametrize("kind", ["llama", "qwen2", "gpt_neox"])
def test_logits_and_gradients_are_those_of_peft(kind: str, rslora: bool) -> None:
    """qwen2 and gpt_neox have biases."""
    logits, gradients = logits_and_gradients(adapted(kind, rslora=rslora))
    model = adapted(kind, rslora=rslora)
    assert fuse(model) == sum("lora_A" in name for name in gradients) > 0
    found, found_gradients = logits_and_gradients(model)
    torch.testing.assert_close(found, logits)
    assert found_gradients.keys() == gradients.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(found_gradients[name], gradient, rtol=1e-6, atol=1e-12)


def test_half_precision_with_an_adapter_in_float32_is_as_in_peft() -> None:
    logits, gradients = logits_and_gradients(adapted(dtype=torch.bfloat16))
    model = adapted(dtype=torch.bfloat16)
    assert fuse(model) == 14
    found, found_gradients = logits_and_gradients(model)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, logits)
    for name, gradient in gradients.items():
        assert found_gradients[name].dtype == torch.float32
        scale = gradient.abs().max().item()
        torch.testing.assert_close(found_gradients[name], gradient, rtol=0, atol=0.03 * scale)


def test_switched_off_or_merged_or_in_autocast_the_layers_are_as_in_peft() -> None:
    plain, model = adapted(dtype=torch.float32), adapted(dtype=torch.float32)
    fuse(model)
    with torch.no_grad():
        with plain.disable_adapter(), model.disable_adapter():
            off = model(input_ids=TOKENS).logits
            assert torch.equal(off, plain(input_ids=TOKENS).logits)
        on = model(input_ids=TOKENS).logits
        assert not torch.allclose(on, off)
        with torch.autocast("cpu", torch.bfloat16):
            assert torch.equal(model(input_ids=TOKENS).logits, plain(input_ids=TOKENS).logits)
        model.merge_adapter()
        torch.testing.assert_close(model(input_ids=TOKENS).logits, on, rtol=1e-4, atol=1e-4)
        model.unmerge_adapter()
        merged = model.merge_and_unload()
        torch.testing.assert_close(merged(input_ids=TOKENS).logits, on, rtol=1e-4, atol=1e-4)


def test_what_is_saved_is_unchanged(tmp_path: Path) -> None:
    plain, model = adapted(), adapted()
    fuse(model)
    assert model.state_dict().keys() == plain.state_dict().keys()
    model.save_pretrained(tmp_path)
    saved = load_file(tmp_path / "adapter_model.safetensors")
    expected = get_peft_model_state_dict(plain)
    assert saved.keys() == expected.keys()
    assert all(torch.equal(saved[name], expected[name]) for name in saved)


@pytest.mark.parametrize("settings", [{"dropout": 0.5}, {"dora": True}])
def test_layers_with_more_to_them_stay_as_they_are(settings: dict[str, Any]) -> None:
    assert fuse(adapted(**settings)) == 0


def test_a_layer_whose_own_weight_is_trained_stays_as_it_is() -> None:
    model = adapted()
    next(weight for name, weight in model.named_parameters() if "q_proj.base_layer" in name).requires_grad_()
    assert fuse(model) == 13
