"""Attention of documents that lie behind one another, each to itself alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from crossin.training.document import Document

if TYPE_CHECKING:
    import torch

# The name of our attention among those of transformers.
ATTENTION = "crossin"


class Borders(NamedTuple):
    """Where documents end and what their tokens see.

    `lengths` are in tokens; `visible` and `positions` by document, as in `Document`. `starts` [documents + 1]
    is there where no document has a visibility of its own.
    """

    lengths: list[int]
    visible: list[torch.Tensor | None]
    positions: list[torch.Tensor]
    starts: torch.Tensor | None


def register() -> None:
    """Make our attention known to transformers as `ATTENTION`."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    AttentionInterface.register(ATTENTION, _attention)
    AttentionMaskInterface.register(ATTENTION, ALL_MASK_ATTENTION_FUNCTIONS["sdpa"])


def borders(documents: Sequence[Document], runs: Sequence[Sequence[int]], device: Any) -> Borders:
    """The borders of `documents`, whose tokens are at the positions `runs`."""
    import torch

    lengths = [len(document.tokens) for document in documents]
    ends = torch.tensor([0, *lengths], dtype=torch.int32).cumsum(0, dtype=torch.int32)
    return Borders(
        lengths,
        [
            None if document.visible is None else torch.from_numpy(document.visible).to(device)
            for document in documents
        ],
        [torch.tensor(list(run), device=device) for run in runs],
        ends.to(device) if all(document.visible is None for document in documents) else None,
    )


def _attention(
    module: Any,
    query: Any,
    key: Any,
    value: Any,
    attention_mask: Any,
    sliding_window: int | None = None,
    documents: Borders | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attention of each document to itself; query, key and value are [1, heads, T, size of a head].

    Without `documents` the model is asked by others, with a mask of their own.
    """
    import torch
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if documents is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)  # type: ignore[no-any-return]
    if documents.starts is not None and (kernel := _kernel(query.device, query.dtype)):
        longest = max(documents.lengths)
        # A window counts what a token sees behind itself.
        window = (-1 if sliding_window is None else sliding_window - 1, 0)
        packed = kernel(
            *(part[0].transpose(0, 1) for part in (query, key, value)),
            documents.starts,
            documents.starts,
            longest,
            longest,
            scale=options.get("scaling"),
            window_size=window,
        )
        return packed[None], None
    found = []
    for q, k, v, visible, places in zip(
        query.split(documents.lengths, 2),
        key.split(documents.lengths, 2),
        value.split(documents.lengths, 2),
        documents.visible,
        documents.positions,
        strict=True,
    ):
        if sliding_window is not None and q.shape[2] > sliding_window:
            distance = places[:, None] - places[None, :]
            inside = torch.ones_like(distance, dtype=torch.bool).tril() if visible is None else visible
            visible = inside & (distance < sliding_window)
        mask = None if visible is None else visible[None, None]
        found.append(sdpa_attention_forward(module, q, k, v, mask, **options)[0])
    return torch.cat(found, 1) if len(found) > 1 else found[0], None


@cache
def _kernel(device: Any, dtype: Any) -> Callable[..., torch.Tensor] | None:
    """PyTorch's flash attention over documents of all lengths (2.11 or newer, half precision, a card from
    Ampere on); None where it is not to be had.
    """
    import torch

    half = dtype in (torch.bfloat16, torch.float16)
    if device.type != "cuda" or not half or torch.cuda.get_device_capability(device) < (8, 0):
        return None
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    known = inspect.signature(varlen_attn).parameters
    if "window_size" not in known:
        return None
    # Before it had the option, it took fewer key heads than query heads without being told.
    kernel: Any = partial(varlen_attn, enable_gqa=True) if "enable_gqa" in known else varlen_attn
    return kernel  # type: ignore[no-any-return]
