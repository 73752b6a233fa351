"""A training run's state in one safetensors file, so that a killed run goes on as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crossin.errors import CrossinError
from crossin.files import atomic_path
from crossin.models.weights import writing_weights

if TYPE_CHECKING:
    import torch

_MOMENTS = ("exp_avg", "exp_avg_sq")


def save_checkpoint(
    path: Path,
    weights: dict[str, torch.nn.Parameter],
    optimizer: torch.optim.Optimizer,
    log: list[dict[str, Any]],
) -> None:
    """Write the trained weights, AdamW's moments and the log so far, atomically; the log has one entry a
    step.
    """
    from safetensors.torch import save_file

    tensors = {f"weight/{name}": weight.detach().contiguous() for name, weight in weights.items()}
    for name, weight in weights.items():
        for moment in _MOMENTS:
            tensors[f"{moment}/{name}"] = optimizer.state[weight][moment].contiguous()
    with atomic_path(path) as temporary, writing_weights(path):
        save_file(tensors, temporary, metadata={"log": json.dumps(log)})


def load_checkpoint(
    path: Path, weights: dict[str, torch.nn.Parameter], optimizer: torch.optim.Optimizer
) -> list[dict[str, Any]]:
    """Put the state at `path` back into `weights` and `optimizer` and return the log; an absent file is an
    empty log.
    """
    import torch
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        return []
    try:
        with safe_open(path, framework="pt") as file, torch.no_grad():
            log: list[dict[str, Any]] = json.loads(file.metadata()["log"])
            for name, weight in weights.items():
                weight.copy_(file.get_tensor(f"weight/{name}"))
                state = {moment: file.get_tensor(f"{moment}/{name}").to(weight.device) for moment in _MOMENTS}
                optimizer.state[weight] = {"step": torch.tensor(float(len(log))), **state}
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise CrossinError(
            f"is not this run's checkpoint: {error}", file=path, fix=f"remove {path.parent} and run again"
        ) from error
    return log
