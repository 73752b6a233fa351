"""The next token of replies: the likeliest, or one that is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from crossin.core.hashing import hash64
from crossin.evaluation.engine import Draw

if TYPE_CHECKING:
    import torch

# The numbers of `core.draws.hashed` and `core.hashing.mix`, as 64 bits with a sign.
_GOLDEN, _FIRST, _SECOND = (
    number - 2**64 for number in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)
# Random numbers at a time: as many as fit a processor's cache, and on a GPU 128 MiB.
_NUMBERS, _GPU_NUMBERS = 2**16, 2**24


def next_tokens(logits: torch.Tensor, draws: Sequence[Draw | None], places: Sequence[int]) -> list[int]:
    """A token for each row of `logits` [R, V]: the likeliest, or where there is a draw, the one drawn as the
    token at this place of its reply.
    """
    found: list[int] = logits.argmax(dim=-1).tolist()
    drawn = [(row, draw, place) for row, (draw, place) in enumerate(zip(draws, places, strict=True)) if draw]
    numbers = _GPU_NUMBERS if logits.is_cuda else _NUMBERS
    step = max(1, numbers // logits.shape[-1])
    for begin in range(0, len(drawn), step):
        rows, some, at = zip(*drawn[begin : begin + step], strict=True)
        for row, token in zip(rows, _drawn(logits[list(rows)], some, at), strict=True):
            found[row] = token
    return found


def _drawn(logits: torch.Tensor, draws: Sequence[Draw], places: Sequence[int]) -> list[int]:
    """For each row the token with the greatest sum of its logit and noise of the Gumbel distribution, which
    draws from the softmax (Maddison et al., arXiv 1411.0030). The noise of each token depends on draw and
    place alone.

    Another order of computation changes logits in their last bits. Here that changes the token only where the
    two best are so close; with one random number and cumulated probabilities, each of thousands of unlikely
    tokens could take the place of its neighbour.
    """
    import torch

    device = logits.device
    scores = logits.float() / torch.tensor([[draw.temperature] for draw in draws], device=device)
    if any(draw.top_p < 1 for draw in draws):
        scores = _likeliest(scores, torch.tensor([[draw.top_p] for draw in draws], device=device))
    bits = random_bits([hash64(draw.key, place) for draw, place in zip(draws, places, strict=True)], scores)
    # In (0, 1]; small numbers, which decide, have all their digits.
    uniform = (_shifted(bits, 1).float() + 1) * 2.0**-63
    tokens: list[int] = (scores - (-torch.log1p(-uniform)).log()).argmax(dim=-1).tolist()
    return tokens


def random_bits(keys: Sequence[int], like: torch.Tensor) -> torch.Tensor:
    """64 random bits for each place of a tensor [R, V], decided by the row's key and the column: those of
    `core.draws.hashed`, on the tensor's device.
    """
    import torch

    signed = [key - 2**64 if key >= 2**63 else key for key in keys]
    words = torch.arange(like.shape[-1], device=like.device)[None] * _GOLDEN
    words = words + torch.tensor(signed, device=like.device)[:, None]
    words = (words ^ _shifted(words, 30)) * _FIRST
    words = (words ^ _shifted(words, 27)) * _SECOND
    return words ^ _shifted(words, 31)


def _shifted(words: torch.Tensor, by: int) -> torch.Tensor:
    """The bits moved to the right; the sign is a bit like the others."""
    found: torch.Tensor = (words >> by) & (2 ** (64 - by) - 1)
    return found


def _likeliest(scores: torch.Tensor, top_p: torch.Tensor) -> torch.Tensor:
    """The scores [R, V] of the fewest likeliest tokens of each row that have together the probability `top_p`
    [R, 1]; minus infinity for the others.
    """
    ordered, tokens = scores.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    kept: torch.Tensor = ordered.masked_fill(before >= top_p, float("-inf"))
    return scores.scatter(-1, tokens, kept)
