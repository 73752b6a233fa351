"""Which weights are trained: an adapter's, with or without the embeddings, or all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training
from peft.tuners.tuners_utils import BaseTunerLayer
from transformers.pytorch_utils import Conv1D

from crossin.core.errors import CrossinError
from crossin.training.config import Method


def apply(model: Any, method: Method, seed: int) -> Any:
    """The model with the weights of `method` to be trained and all others frozen; `seed` decides an adapter's
    first weights.

    Raises CrossinError for targets that the model does not have, and for dropout on experts that are no
    layers.
    """
    if method.kind == "full":
        return model.requires_grad_(True)
    if not isinstance(method.targets, str):
        _check_targets(model, method.targets)
    if method.quantised:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    tied = bool(model.config.get_text_config().tie_word_embeddings)
    whole = _embeddings_and_head(model) if method.embeddings else None
    experts = _fused_experts(model) if method.targets == "all-linear" else []

    def adapted(parameters: Sequence[str]) -> Any:
        config = LoraConfig(
            r=method.rank,
            lora_alpha=int(method.alpha) if method.alpha == int(method.alpha) else method.alpha,
            lora_dropout=method.dropout,
            target_modules=method.targets if isinstance(method.targets, str) else list(method.targets),
            target_parameters=list(parameters) or None,
            exclude_modules=_routers(model) or None,
            use_rslora=method.rslora,
            use_dora=method.dora,
            modules_to_save=whole and list(whole),
            # By default, PEFT trains two copies of a weight that the model has once.
            ensure_weight_tying=method.embeddings and tied,
            task_type="CAUSAL_LM",
        )
        torch.manual_seed(seed)
        return get_peft_model(model, config)

    network = adapted(())
    # PEFT knows the experts of some families by itself.
    if missed := [name for name in experts if not _is_adapted(network, name)]:
        if method.dropout:
            raise CrossinError(
                "the experts of this model are one tensor each, on which an adapter has no dropout",
                field="method.dropout",
                hint="set it to 0, or name the layers to adapt under `method.targets`",
            )
        model = network.unload()
        network = adapted(missed)
    # PEFT takes the tied head off the list, and would not recognise the pair by `lm_head` alone on loading.
    network.peft_config["default"].modules_to_save = whole
    return network


def reached_share(network: Any) -> float:
    """The share of a model's own weights that training can change: those of layers with an adapter, and those
    that are trained themselves.
    """
    own = {id(weight): weight for name, weight in network.named_parameters() if "lora_" not in name}
    reached = {key for key, weight in own.items() if weight.requires_grad}
    for module in network.modules():
        if isinstance(module, BaseTunerLayer):
            reached |= own.keys() & {id(weight) for weight in module.get_base_layer().parameters()}
    sizes = {key: int(weight.numel()) for key, weight in own.items()}
    return sum(sizes[key] for key in reached) / sum(sizes.values())


def _fused_experts(model: Any) -> list[str]:
    """The weights of experts that are one tensor for all of them, and so no linear layers."""
    return [name for name, weight in model.named_parameters() if weight.dim() == 3 and "expert" in name]


def _is_adapted(network: Any, name: str) -> bool:
    within = f"{name.rpartition('.')[0]}."
    return any(within in one and "lora_" in one for one, _ in network.named_parameters())


def _routers(model: Any) -> list[str]:
    """The names of linear layers that compute in their own way, as routers do: no adapter can add to it."""
    return sorted(
        {
            name.rpartition(".")[2]
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear)
            and "forward" in vars(type(module))
            and type(module).__module__.startswith("transformers.models.")
        }
    )


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
