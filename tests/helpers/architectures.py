"""Tiny models of several architectures, with random weights and the tokenizer of the tiny model."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "bos_token_id": None,
    "eos_token_id": 0,
}
GROUPED = SMALL | {"num_key_value_heads": 2, "intermediate_size": 64}
# By what they do with positions and with what lies far back.
CONFIGURATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "rotary": ("LlamaConfig", GROUPED),
    "learned positions": ("GPT2Config", {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 512}),
    "every layer has a window": ("MistralConfig", GROUPED | {"sliding_window": 16}),
    "some layers have a window": (
        "Gemma3TextConfig",
        GROUPED
        | {
            "head_dim": 8,
            "sliding_window": 16,
            "layer_types": ["sliding_attention", "full_attention"],
        },
    ),
    "capped logits": ("Gemma2Config", GROUPED | {"head_dim": 8, "final_logit_softcapping": 5.0}),
    "scaled logits": ("CohereConfig", GROUPED | {"logit_scale": 0.5}),
    "positions in the attention": ("BloomConfig", {"hidden_size": 32, "n_layer": 2, "n_head": 4}),
    "windows in the row": (
        "GPTNeoConfig",
        {
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 64,
            "max_position_embeddings": 1024,
        },
    ),
    "positions scaled in long texts": (
        "Phi3Config",
        GROUPED
        | {
            "pad_token_id": None,
            "original_max_position_embeddings": 100,
            "max_position_embeddings": 1024,
            "rope_parameters": {
                "rope_type": "longrope",
                "rope_theta": 10000.0,
                "short_factor": [1.0] * 4,
                "long_factor": [8.0] * 4,
                "original_max_position_embeddings": 100,
            },
        },
    ),
    "recurrent": ("MambaConfig", {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}),
}
# What these do with positions cannot be told to them token by token.
CANNOT_SHARE = {
    "positions in the attention",
    "windows in the row",
    "positions scaled in long texts",
    "recurrent",
}


def save(name: str, like: Path, folder: Path) -> Path:
    """A model of the architecture `name` in `folder`, with the tokenizer of the model in `like`."""
    import torch
    import transformers

    for file in like.glob("token*"):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / file.name)
    kind, settings = CONFIGURATIONS[name]
    torch.manual_seed(0)
    config = getattr(transformers, kind)(vocab_size=800, **settings)
    model = transformers.AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                # Small random weights make all models guess alike; these have something to say.
                weight.normal_(0, 0.25)
    model.save_pretrained(folder)
    return folder
