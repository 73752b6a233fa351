"""Attention masks in the form that models of transformers accept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def attention_masks(model: Any, visible: torch.Tensor, distance: torch.Tensor) -> Any:
    """The additive mask [B, 1, T, S]; for a model with sliding windows, one for each kind of layer.

    `visible` [B, T, S] says which of S tokens each of T sees, `distance` [B, T, S] how many tokens before it
    each is in its text.
    """
    import torch

    def additive(seen: torch.Tensor) -> torch.Tensor:
        mask = torch.zeros(seen.shape, dtype=model.dtype)
        return mask.masked_fill(~seen, torch.finfo(model.dtype).min)[:, None].to(model.device)

    config = model.config.get_text_config()
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    if window is None or kinds == {"full_attention"}:
        return additive(visible)
    near = visible & (distance < window)
    if not kinds:
        return additive(near)
    return {"full_attention": additive(visible), "sliding_attention": additive(near)}
