"""The next token of replies: the likeliest, or one that is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from crossin.core.draws import hashed
from crossin.core.hashing import hash64
from crossin.evaluation.engine import Draw

if TYPE_CHECKING:
    import torch


def next_tokens(logits: torch.Tensor, draws: Sequence[Draw | None], places: Sequence[int]) -> list[int]:
    """A token for each row of `logits` [R, V]: the likeliest, or where there is a draw, the one drawn as the
    token at this place of its reply.
    """
    found: list[int] = logits.argmax(dim=-1).tolist()
    for row, (draw, place) in enumerate(zip(draws, places, strict=True)):
        if draw is not None:
            found[row] = _drawn(logits[row], draw, place)
    return found


def _drawn(logits: torch.Tensor, draw: Draw, place: int) -> int:
    """The token with the greatest sum of its logit and noise of the Gumbel distribution (Maddison et al.,
    arXiv 1411.0030), which draws from the softmax. The noise of each token depends on draw and place alone.

    Another order of computation changes logits in their last bits. Here that changes the token only where the
    two best are so close; with one random number and cumulated probabilities, each of thousands of unlikely
    tokens could take the place of its neighbour.
    """
    import torch

    scores = logits.float().cpu() / draw.temperature
    if draw.top_p < 1:
        scores = _likeliest(scores, draw.top_p)
    bits = hashed(np.arange(len(scores)), hash64(draw.key, place))
    # In (0, 1]; small numbers, which decide, are the exact ones.
    uniform = torch.from_numpy((bits.astype(np.float32) + 1) * np.float32(2.0**-64))
    return int((scores - (-torch.log1p(-uniform)).log()).argmax())


def _likeliest(scores: torch.Tensor, top_p: float) -> torch.Tensor:
    """The scores of the fewest likeliest tokens that have together the probability `top_p`; minus infinity
    for the others.
    """
    ordered, tokens = scores.sort(descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    return scores.index_fill(0, tokens[before >= top_p], float("-inf"))
