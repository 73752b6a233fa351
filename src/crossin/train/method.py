"""Which weights are trained: an adapter's, with or without the embeddings, or all."""

from __future__ import annotations

from typing import Any

from crossin.errors import CrossinError
from crossin.train.config import Method


def apply(model: Any, method: Method, seed: int) -> Any:
    """The model with the weights of `method` to be trained and all others frozen; an adapter's first weights
    are drawn by `seed`.

    Raises CrossinError for targets that the model does not have.
    """
    if method.kind == "full":
        return model.requires_grad_(True)
    import torch
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    _check_targets(model, method)
    if method.quantised:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    torch.manual_seed(seed)
    tied = bool(model.config.get_text_config().tie_word_embeddings)
    config = LoraConfig(
        r=method.rank,
        lora_alpha=int(method.alpha) if method.alpha == int(method.alpha) else method.alpha,  # type: ignore[arg-type]
        lora_dropout=method.dropout,
        target_modules=method.targets if isinstance(method.targets, str) else list(method.targets),
        use_rslora=method.rslora,
        use_dora=method.dora,
        modules_to_save=_whole(model, tied) if method.embeddings else None,
        # Left to itself, PEFT trains two copies of a weight that the model has once.
        ensure_weight_tying=method.embeddings and tied,
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def _whole(model: Any, tied: bool) -> list[str]:
    """The names of the embeddings and, where it is a weight of its own, the head."""
    wanted = [model.get_input_embeddings()] + ([] if tied else [model.get_output_embeddings()])
    return [name.rpartition(".")[2] for name, module in model.named_modules() if module in wanted]


def _check_targets(model: Any, method: Method) -> None:
    import torch

    if isinstance(method.targets, str):
        return
    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not model.get_output_embeddings()
    }
    if unknown := sorted(set(method.targets) - linear):
        raise CrossinError(
            f"the model has no linear layers called {', '.join(unknown)}",
            field="method.targets",
            fix=f"choose among {', '.join(sorted(linear))}, or take all-linear",
        )
