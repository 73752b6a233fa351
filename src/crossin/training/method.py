"""Which weights are trained: an adapter's, with or without the embeddings, or all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from transformers.pytorch_utils import Conv1D

from crossin.core.errors import CrossinError
from crossin.training.config import Method


def apply(model: Any, method: Method, seed: int) -> Any:
    """The model with the weights of `method` to be trained and all others frozen; `seed` decides an adapter's
    first weights.

    Raises CrossinError for targets that the model does not have.
    """
    if method.kind == "full":
        return model.requires_grad_(True)
    if not isinstance(method.targets, str):
        _check_targets(model, method.targets)
    if method.quantised:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    torch.manual_seed(seed)
    tied = bool(model.config.get_text_config().tie_word_embeddings)
    whole = _embeddings_and_head(model) if method.embeddings else None
    config = LoraConfig(
        r=method.rank,
        lora_alpha=int(method.alpha) if method.alpha == int(method.alpha) else method.alpha,
        lora_dropout=method.dropout,
        target_modules=method.targets if isinstance(method.targets, str) else list(method.targets),
        use_rslora=method.rslora,
        use_dora=method.dora,
        modules_to_save=whole and list(whole),
        # By default, PEFT trains two copies of a weight that the model has once.
        ensure_weight_tying=method.embeddings and tied,
        task_type="CAUSAL_LM",
    )
    adapted = get_peft_model(model, config)
    # PEFT takes the tied head off the list, and would not recognise the pair by `lm_head` alone on loading.
    adapted.peft_config["default"].modules_to_save = whole
    return adapted


def _embeddings_and_head(model: Any) -> list[str]:
    """Their names; PEFT knows a tied pair by either."""
    both = (model.get_input_embeddings(), model.get_output_embeddings())
    return [name.rpartition(".")[2] for name, module in model.named_modules() if module in both]


def _check_targets(model: Any, targets: Sequence[str]) -> None:
    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not model.get_output_embeddings()
    }
    if unknown := sorted(set(targets) - linear):
        raise CrossinError(
            f"the model has no linear layers called {', '.join(unknown)}",
            field="method.targets",
            hint=f"choose among {', '.join(sorted(linear))}, or use all-linear",
        )
