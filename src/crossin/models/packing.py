"""Many texts in one forward pass, without padding: behind one another, and none sees another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossin.models.masks import attention_masks

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Packed:
    """One sequence of T tokens made of texts.

    `input_ids` and `positions` have the shape [1, T]; `visible` [1, T, T] tells which token (row) sees which
    (column); `starts` holds where each text begins.
    """

    input_ids: torch.Tensor
    positions: torch.Tensor
    visible: torch.Tensor
    starts: list[int]


def pack(texts: Sequence[Sequence[int]]) -> Packed:
    """Lay texts (token ids) behind one another."""
    import torch

    starts = [sum(map(len, texts[:number])) for number in range(len(texts))]
    owner = torch.tensor([number for number, text in enumerate(texts) for _ in text])
    order = torch.arange(len(owner))
    return Packed(
        torch.tensor([[token for text in texts for token in text]]),
        torch.tensor([[position for text in texts for position in range(len(text))]]),
        ((owner[:, None] == owner[None, :]) & (order[:, None] >= order[None, :]))[None],
        starts,
    )


def logits_at(model: Any, packed: Packed, places: Sequence[int]) -> torch.Tensor:
    """The model's logits [len(places), vocabulary] after the tokens at `places`; the head runs at no other
    place.
    """
    import torch

    device = model.device
    distance = packed.positions[:, :, None] - packed.positions[:, None, :]
    output = model(
        input_ids=packed.input_ids.to(device),
        position_ids=packed.positions.to(device),
        attention_mask=attention_masks(model, packed.visible, distance),
        logits_to_keep=torch.tensor(places, device=device),
        use_cache=False,
    )
    logits: torch.Tensor = output.logits[0]
    return logits.float()
