"""Packed documents have the states and the gradients that each has alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from crossin.training.config import Method
from crossin.training.method import apply
from crossin.training.packing import Document, blocks, layout, states
from tests.helpers.errors import refused
from tests.helpers.small_models import small_model

DOCUMENTS = [Document(list(range(start, start + length))) for start, length in ((7, 3), (50, 19), (90, 1))]
PACKABLE = ["llama", "qwen2", "mistral", "gemma3_text", "gpt_neox", "gpt2", "cohere"]


def alone(model: Any, document: Document) -> torch.Tensor:
    """The last states by the model itself, nothing of ours at work."""
    original = model.config._attn_implementation
    if original == "crossin":
        model.set_attn_implementation("sdpa")
    output = model.base_model(input_ids=torch.tensor([document.tokens]), use_cache=False)
    model.set_attn_implementation(original)
    found: torch.Tensor = output.last_hidden_state[0]
    return found


@pytest.mark.parametrize("kind", PACKABLE)
def test_documents_together_are_as_each_alone(kind: str) -> None:
    model = small_model(kind)
    assert layout(model) == "packed"
    expected = torch.cat([alone(model, document) for document in DOCUMENTS])
    torch.testing.assert_close(states(model, DOCUMENTS), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["mamba", "gemma2"])
def test_models_that_mix_documents_get_them_padded(kind: str) -> None:
    model = small_model(kind)
    assert layout(model) == "padded"
    expected = torch.cat([alone(model, document) for document in DOCUMENTS])
    # Gemma 2 computes its attention in float32.
    torch.testing.assert_close(states(model, DOCUMENTS), expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("recompute", [False, True])
@pytest.mark.parametrize("kind", ["llama", "gemma3_text"])
@pytest.mark.parametrize("layer", [None, 1])
def test_gradients_together_padded_and_alone_are_the_same(
    kind: str, recompute: bool, layer: int | None
) -> None:
    gradients = []
    for way in ("together", "padded", "alone"):
        model = apply(small_model(kind), Method(rank=4, alpha=8), 0).double().train()
        # At their first value, zero, the one half would hide the other.
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(1))
        if recompute:
            model.gradient_checkpointing_enable()
        if way == "padded":
            model.get_base_model().set_attn_implementation("sdpa")
            model.get_base_model().crossin_layout = "padded"
        for part in [[document] for document in DOCUMENTS] if way == "alone" else [DOCUMENTS]:
            states(model, part, layer=layer).pow(3).sum().backward()  # type: ignore[no-untyped-call]
        gradients.append(
            {name: weight.grad for name, weight in model.named_parameters() if weight.grad is not None}
        )
    together, padded, single = gradients
    assert together and together.keys() == padded.keys() == single.keys()
    for name, gradient in together.items():
        scale = gradient.abs().max().item()
        assert scale > 0
        torch.testing.assert_close(padded[name], gradient, rtol=0, atol=1e-9 * scale)
        torch.testing.assert_close(single[name], gradient, rtol=0, atol=1e-9 * scale)


@pytest.mark.parametrize("kind", PACKABLE)
def test_a_tree_is_as_its_branches_in_documents_of_their_own(kind: str) -> None:
    """A trunk of 9 tokens with branches of 2 and 4, beside another document."""
    model = small_model(kind)
    trunk, first, second = list(range(20, 29)), [101, 102], [201, 202, 203, 204]
    visible = np.tril(np.ones((15, 15), dtype=bool))
    visible[11:, 9:11] = False
    tree = Document([*trunk, *first, *second], [*range(11), *range(9, 13)], visible)
    found = states(model, [DOCUMENTS[0], tree])[3:]
    expected = torch.cat([alone(model, Document(trunk + first)), alone(model, Document(trunk + second))[9:]])
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_a_padded_model_refuses_a_tree() -> None:
    tree = Document([1, 2], [0, 1], np.tril(np.ones((2, 2), dtype=bool)))
    with refused("packed sequences"):
        states(small_model("mamba"), [tree])


@pytest.mark.parametrize("kind", ["llama", "gemma3_text", "gpt_neox"])
def test_the_forward_pass_stops_after_the_layer_that_is_needed(kind: str) -> None:
    model = small_model(kind)
    ran: list[int] = []
    for number, block in enumerate(blocks(model), start=1):
        block.register_forward_hook(lambda *_, number=number: ran.append(number))
    found = states(model, DOCUMENTS, layer=1)
    assert ran == [1]
    expected = [
        model(
            input_ids=torch.tensor([document.tokens]), output_hidden_states=True, use_cache=False
        ).hidden_states[1][0]
        for document in DOCUMENTS
    ]
    torch.testing.assert_close(found, torch.cat(expected), rtol=0, atol=1e-9)


@pytest.mark.parametrize("layer", [0, 3])
def test_a_layer_that_is_not_there_is_an_error(layer: int) -> None:
    with refused(f"no block {layer}", field="layers"):
        states(small_model("llama"), DOCUMENTS, layer=layer)


def test_asked_by_others_a_prepared_model_is_as_before() -> None:
    """Also with padding on the left and with a cache, as `generate` has them."""
    model = small_model("llama")
    question = {
        "input_ids": torch.tensor([[0, 0, 5, 6, 7], [8, 9, 10, 11, 12]]),
        "attention_mask": torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]]),
    }
    settings = {"max_new_tokens": 6, "do_sample": False, "pad_token_id": 0}
    found = model.generate(**question, **settings)
    model.set_attn_implementation("sdpa")
    assert torch.equal(found, model.generate(**question, **settings))
