from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from crossin.models.load import load
from crossin.models.packing import logits_at, pack


@pytest.fixture(scope="module")
def llama(tiny_model: Path) -> Any:
    return load(tiny_model)[0]


@pytest.fixture(scope="module")
def gemma() -> Any:
    """A model whose layers look back four tokens only, but for the last."""
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=100,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=4,
        layer_types=["sliding_attention", "sliding_attention", "full_attention"],
    )
    return Gemma3ForCausalLM(config).eval()


def alone(model: Any, tokens: list[int]) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(torch.tensor([tokens])).logits[0].float()
    return logits


@pytest.mark.parametrize("name", ["llama", "gemma"])
def test_packed_texts_get_the_logits_they_get_alone(name: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(name)
    texts = [[5, 6, 7, 8, 9, 10, 11], [12], [13, 14, 15]]
    packed = pack(texts)
    with torch.inference_mode():
        found = logits_at(model, packed, range(11))
    torch.testing.assert_close(found, torch.cat([alone(model, text) for text in texts]), atol=1e-4, rtol=1e-4)
