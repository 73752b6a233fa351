"""On a GPU, in half precision: what runs there by other kernels gives what the plain way gives."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers

from crossin.training import fused_lora, packing
from crossin.training.config import Method
from crossin.training.losses import row_losses
from crossin.training.method import apply
from crossin.training.packing import Document, _attention, _kernel, borders_of
from crossin.training.rows import Group, TrainingRow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]
LENGTHS = (3, 70, 1, 33)


def attended(dtype: Any, device: str, window: int | None) -> tuple[torch.Tensor, ...]:
    """Attention of documents of `LENGTHS`, and the gradients of query, key and value."""
    documents = [Document([5] * length) for length in LENGTHS]
    held = borders_of(documents, device)
    generator = torch.Generator().manual_seed(0)
    # Rounded first, so that all sides begin with the same numbers.
    query, key, value = (
        torch.randn(1, heads, sum(LENGTHS), 16, generator=generator)
        .bfloat16()
        .to(device, dtype)
        .requires_grad_()
        for heads in (4, 2, 2)
    )
    module = SimpleNamespace(num_key_value_groups=2, is_causal=True)
    found, _ = _attention(
        module, query, key, value, None, sliding_window=window, documents=held, scaling=0.25, dropout=0.0
    )
    found.float().pow(2).sum().backward()  # type: ignore[no-untyped-call]
    slopes = [part.grad for part in (query, key, value) if part.grad is not None]
    return tuple(part.detach().float().cpu() for part in (found, *slopes))


@pytest.mark.parametrize("window", [None, 6])
def test_one_kernel_for_all_documents_is_as_one_after_the_other(window: int | None) -> None:
    assert _kernel(torch.device("cuda:0"), torch.bfloat16)
    expected = attended(torch.float32, "cpu", window)
    for found, right in zip(attended(torch.bfloat16, "cuda:0", window), expected, strict=True):
        torch.testing.assert_close(found, right, rtol=2e-2, atol=2e-2 * right.abs().max().item())


def gradients(parts: list[list[TrainingRow]], way: str) -> torch.Tensor:
    """The adapter's gradients of all rows, in these micro-batches, in one vector."""
    torch.manual_seed(0)
    config = transformers.MistralConfig(
        vocab_size=300,
        hidden_size=128,
        intermediate_size=256,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        sliding_window=32,
    )
    network = transformers.AutoModelForCausalLM.from_config(config).to("cuda:0", torch.bfloat16)
    if way == "float32":
        network = network.float()
    packing.prepare(network)
    assert packing.layout(network) == "packed"
    network = apply(network, Method(rank=4, alpha=8), 0).train()
    for name, weight in network.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    if way == "ours":
        assert fused_lora.fuse(network)
    for part in parts:
        with torch.autocast("cuda", torch.bfloat16, enabled=way == "autocast"):
            loss, _ = row_losses(network, part, [0.1] * len(part))
        loss.backward()  # type: ignore[no-untyped-call]
    return torch.cat([x.grad.flatten() for x in network.parameters() if x.grad is not None]).cpu()


def test_half_precision_costs_our_gradients_no_more_than_autocast_costs() -> None:
    rows = [
        TrainingRow(number, "", Group("base", "en", "en"), range(number + 2, number + 2 + length), 1)
        for number, length in enumerate((9, 60, 25, 3))
    ]
    single = [[row] for row in rows]
    right = gradients(single, "float32")
    autocast = (gradients(single, "autocast") - right).norm()
    assert 0 < autocast < 0.1 * right.norm()
    for parts in (single, [rows]):
        assert (gradients(parts, "ours") - right).norm() < 1.5 * autocast
