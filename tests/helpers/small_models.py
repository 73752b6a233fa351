"""Tiny random models of many kinds."""

from __future__ import annotations

from typing import Any

from crossin.training import packing

_SIZES = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}
_HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}


def small_model(kind: str, **changes: Any) -> Any:
    """A model with random weights in float64 (with experts, float32), prepared for packed sequences."""
    import torch
    import transformers

    torch.manual_seed(0)
    kinds: dict[str, dict[str, Any]] = {
        "llama": _SIZES | _HEADS,
        "qwen2": _SIZES | _HEADS,
        "mistral": _SIZES | _HEADS | {"sliding_window": 6},
        "gemma3_text": _SIZES
        | _HEADS
        | {
            "head_dim": 8,
            "sliding_window": 6,
            "layer_types": ["sliding_attention", "full_attention"],
        },
        "gpt_neox": _SIZES | {"num_attention_heads": 4},
        "gpt2": {"vocab_size": 300, "n_embd": 32, "n_layer": 2, "n_head": 4},
        "mamba": {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4},
        "cohere": _SIZES | _HEADS | {"logit_scale": 0.25},
        "mixtral": _SIZES | _HEADS | {"num_local_experts": 4, "num_experts_per_tok": 2},
        "phimoe": _SIZES | _HEADS | {"num_local_experts": 4, "num_experts_per_tok": 2},
        "qwen2_moe": _SIZES | _HEADS | _EXPERTS | {"shared_expert_intermediate_size": 16},
        "qwen3_moe": _SIZES | _HEADS | _EXPERTS | {"head_dim": 8},
        "gemma2": _SIZES | _HEADS | {"head_dim": 8, "sliding_window": 6},
    }
    ends = {"bos_token_id": None, "eos_token_id": 0, "pad_token_id": None}
    config = transformers.AutoConfig.for_model(kind, **kinds[kind], **ends, **changes)
    model: Any = transformers.AutoModelForCausalLM.from_config(config).eval()
    # What experts compute with is not there in float64.
    model = model.float() if "num_experts_per_tok" in kinds[kind] else model.double()
    # Weights far from 0, so that every token matters to those that see it.
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    packing.prepare(model)
    return model
