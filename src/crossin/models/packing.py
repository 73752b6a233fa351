"""Many texts in one forward pass, without padding: segments behind one another that do not see each other.

A segment may continue an earlier one (its `parent`): four options continue one question, which is then
computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Segment:
    """Tokens that attend to themselves, causally, and to those of segment number `parent`, if any."""

    tokens: Sequence[int]
    parent: int | None = None


@dataclass(frozen=True)
class Packed:
    """One sequence of T tokens made of segments.

    `input_ids` and `positions` have the shape [1, T]; `visible` [T, T] tells which token (row) sees which
    (column); `starts` holds where each segment begins.
    """

    input_ids: torch.Tensor
    positions: torch.Tensor
    visible: torch.Tensor
    starts: list[int]


def pack(segments: Sequence[Segment]) -> Packed:
    """Lay `segments` behind one another; a parent must stand before its children."""
    import torch

    owner: list[int] = []
    parent: list[int] = []
    positions: list[int] = []
    tokens: list[int] = []
    starts: list[int] = []
    for number, segment in enumerate(segments):
        starts.append(len(tokens))
        first = 0 if segment.parent is None else len(segments[segment.parent].tokens)
        tokens += segment.tokens
        positions += range(first, first + len(segment.tokens))
        owner += [number] * len(segment.tokens)
        parent += [number if segment.parent is None else segment.parent] * len(segment.tokens)
    own, above = torch.tensor(owner), torch.tensor(parent)
    order = torch.arange(len(tokens))
    related = (own[:, None] == own[None, :]) | (above[:, None] == own[None, :])
    return Packed(
        torch.tensor([tokens]),
        torch.tensor([positions]),
        related & (order[:, None] >= order[None, :]),
        starts,
    )


def logits_at(model: Any, packed: Packed, places: Sequence[int]) -> torch.Tensor:
    """The model's logits [len(places), vocabulary] after the tokens at `places`; the head runs at no other
    place.
    """
    import torch

    device = model.device
    output = model(
        input_ids=packed.input_ids.to(device),
        position_ids=packed.positions.to(device),
        attention_mask=_attention_mask(model, packed),
        logits_to_keep=torch.tensor(places, device=device),
        use_cache=False,
    )
    logits: torch.Tensor = output.logits[0]
    return logits.float()


def _attention_mask(model: Any, packed: Packed) -> Any:
    """The additive mask [1, 1, T, T]; for a model with sliding windows, one for each kind of layer."""
    import torch

    def additive(visible: torch.Tensor) -> torch.Tensor:
        mask = torch.zeros(visible.shape, dtype=model.dtype)
        return mask.masked_fill(~visible, torch.finfo(model.dtype).min)[None, None].to(model.device)

    config = model.config.get_text_config()
    if "sliding_attention" not in (getattr(config, "layer_types", None) or ()):
        return additive(packed.visible)
    distance = packed.positions[0][:, None] - packed.positions[0][None, :]
    return {
        "full_attention": additive(packed.visible),
        "sliding_attention": additive(packed.visible & (distance < config.sliding_window)),
    }


def split_shared(sequences: Sequence[Sequence[int]]) -> tuple[list[int], list[list[int]]]:
    """The tokens that all sequences begin with, and what is left of each, which is never empty.

    Tokenising a text with its continuation is not always tokenising the two apart; cutting where whole texts
    part is always right.
    """
    shortest = min(len(sequence) for sequence in sequences) - 1
    shared = 0
    while shared < shortest and len({sequence[shared] for sequence in sequences}) == 1:
        shared += 1
    return list(sequences[0][:shared]), [list(sequence[shared:]) for sequence in sequences]
