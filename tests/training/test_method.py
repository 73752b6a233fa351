"""Which weights are trained, and that they come back as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from crossin.models.adapters import with_adapter
from crossin.training.config import Method
from crossin.training.method import apply, reached_share
from tests.helpers.errors import refused
from tests.helpers.small_models import small_model

TOKENS = torch.tensor([[5, 6, 7, 8]])


def trained(model: Any) -> set[str]:
    return {name for name, weight in model.named_parameters() if weight.requires_grad}


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(input_ids=TOKENS).logits
    return found


def take_steps(model: Any) -> None:
    optimiser = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=0.05)
    for _ in range(2):
        model.train()(input_ids=TOKENS, labels=TOKENS).loss.backward()
        optimiser.step()
        optimiser.zero_grad()


def test_an_adapter_is_on_all_linear_layers_and_nothing_else_is_trained() -> None:
    names = trained(apply(small_model("llama"), Method(), 0))
    assert len(names) == 2 * 2 * 7
    assert all("lora_" in name and "lm_head" not in name for name in names)


@pytest.mark.parametrize("kind", ["mixtral", "qwen2_moe", "qwen3_moe", "phimoe"])
def test_experts_that_are_one_tensor_are_adapted_and_come_back(kind: str, tmp_path: Path) -> None:
    small_model(kind).save_pretrained(tmp_path / "base")
    adapted = apply(AutoModelForCausalLM.from_pretrained(tmp_path / "base"), Method(rank=4, alpha=8), 0)
    assert any(".experts." in name for name in trained(adapted))
    assert not any("router" in name for name in trained(adapted))
    before = logits(adapted)
    take_steps(adapted)
    assert (logits(adapted) - before).abs().max() > 0.01
    adapted.save_pretrained(tmp_path / "adapter")
    base = AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    merged = with_adapter(base, tmp_path / "adapter", base=tmp_path / "base")
    torch.testing.assert_close(logits(merged), logits(adapted), atol=1e-4, rtol=0)


def test_experts_that_are_one_tensor_have_no_dropout() -> None:
    with refused("no dropout", field="method.dropout"):
        apply(small_model("qwen2_moe"), Method(dropout=0.1), 0)


def test_the_share_that_training_reaches() -> None:
    llama = small_model("llama")
    every = sum(weight.numel() for weight in llama.parameters())
    layers = sum(weight.numel() for name, weight in llama.named_parameters() if "_proj" in name)
    assert reached_share(apply(llama, Method(), 0)) == pytest.approx(layers / every)
    assert reached_share(apply(small_model("llama"), Method(kind="full"), 0)) == 1


def test_targets_are_those_that_are_named() -> None:
    names = trained(apply(small_model("llama"), Method(targets=("q_proj", "v_proj")), 0))
    assert len(names) == 2 * 2 * 2
    assert all("q_proj" in name or "v_proj" in name for name in names)
    # GPT-2's layers are of a class of their own.
    assert trained(apply(small_model("gpt2"), Method(targets=("c_attn",)), 0))


def test_an_unknown_target_is_an_error_that_lists_the_layers() -> None:
    layers = "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, v_proj"
    with refused("qq_proj", field="method.targets", hint=layers):
        apply(small_model("llama"), Method(targets=("q_proj", "qq_proj")), 0)


def test_the_scale_is_alpha_over_rank_or_over_its_root() -> None:
    def scale(**settings: Any) -> float:
        model = apply(small_model("llama"), Method(rank=4, alpha=6.5, **settings), 0)
        found: float = model.get_base_model().model.layers[0].mlp.up_proj.scaling["default"]
        return found

    assert scale() == pytest.approx(6.5 / 4)
    assert scale(rslora=True) == pytest.approx(6.5 / 2)


def test_dora_has_lengths_of_its_own() -> None:
    assert any("magnitude" in name for name in trained(apply(small_model("llama"), Method(dora=True), 0)))


def test_the_seed_decides_the_first_weights() -> None:
    def first(seed: int) -> Any:
        model = apply(small_model("llama"), Method(), seed)
        return next(weight for name, weight in model.named_parameters() if "lora_A" in name).detach()

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


def test_full_trains_all_weights_and_a_tied_one_once() -> None:
    model = small_model("llama", tie_word_embeddings=True)
    model.requires_grad_(False)
    model = apply(model, Method(kind="full"), 0)
    assert all(weight.requires_grad for weight in model.parameters())
    names = trained(model)
    assert "model.embed_tokens.weight" in names and "lm_head.weight" not in names


@pytest.mark.parametrize("kind", ["llama", "gpt2", "gemma3_text", "gpt_neox"])
@pytest.mark.parametrize("tied", [True, False])
def test_trained_embeddings_come_back_and_stay_tied_if_they_were(
    kind: str, tied: bool, tmp_path: Path
) -> None:
    fresh = small_model(kind, tie_word_embeddings=tied).float()
    fresh.set_attn_implementation("sdpa")
    fresh.save_pretrained(tmp_path / "model")
    model = apply(fresh, Method(rank=4, embeddings=True), 0)
    bare = model.get_base_model()
    take_steps(model)

    into = bare.get_input_embeddings().modules_to_save["default"].weight
    out = bare.get_output_embeddings().modules_to_save["default"].weight
    assert (into is out) == tied
    assert not torch.equal(out, bare.get_output_embeddings().original_module.weight)
    expected = logits(model)

    model.save_pretrained(tmp_path / "adapter")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    loaded = PeftModel.from_pretrained(again, tmp_path / "adapter")
    torch.testing.assert_close(logits(loaded), expected)

    loaded.merge_and_unload().save_pretrained(tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")
    torch.testing.assert_close(logits(merged), expected, rtol=1e-4, atol=1e-4)
    assert (merged.get_input_embeddings().weight is merged.get_output_embeddings().weight) == tied
    assert merged.config.tie_word_embeddings == tied
