"""The loss of the rows: the negative log-likelihood of the learned tokens, without ever holding all of their
logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from crossin.training.packing import Document, states, unwrapped
from crossin.training.rows import TrainingRow

# Logits held at a time: enough rows for the multiplications to run at full speed.
_AT_ONCE = {"cpu": 2**23, "cuda": 2**27}


def row_losses(
    model: Any, rows: Sequence[TrainingRow], weights: Sequence[float]
) -> tuple[Tensor, list[Tensor]]:
    """The sum over the rows of weight times negative log-likelihood (nats) of the row's learned tokens, and
    these tokens' negative log-likelihoods by row, without gradient.

    The head runs only at the places before learned tokens.
    """
    found = states(model, [Document(row.tokens) for row in rows])
    places: list[int] = []
    targets: list[int] = []
    start = 0
    for row in rows:
        places += [start + place - 1 for place in row.places]
        targets += row.completion
        start += len(row.tokens)
    counts = [row.learned for row in rows]
    device = found.device
    loss, each = token_losses(
        model,
        found[torch.tensor(places, device=device)],
        torch.tensor(targets, device=device),
        torch.tensor(weights, device=device).repeat_interleave(torch.tensor(counts, device=device)),
    )
    return loss, list(torch.split(each, counts))


def row_weights(rows: Sequence[TrainingRow], step: Sequence[TrainingRow], weigh: str) -> list[float]:
    """What one learned token of each of `rows` weighs in the loss of the whole `step`: the same for all
    tokens, or with `weigh="row"` the same for all rows, however many tokens they have.
    """
    if weigh == "row":
        return [1 / (len(step) * row.learned) for row in rows]
    return [1 / sum(row.learned for row in step)] * len(rows)


def logits(model: Any, states: Tensor) -> Tensor:
    """The logits [N, vocabulary] of states [N, hidden], in float32 or better, with the scaling and capping
    that the model applies after its head.
    """
    bare = unwrapped(model)
    config = bare.config.get_text_config()
    found: Tensor = _precise(bare.get_output_embeddings()(states))
    if scale := getattr(config, "logit_scale", None):
        found = found * scale
    if scaling := getattr(config, "logits_scaling", None):
        found = found / scaling
    if cap := getattr(config, "final_logit_softcapping", None):
        found = torch.tanh(found / cap) * cap
    return found


def token_losses(model: Any, states: Tensor, targets: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """The sum of weight times negative log-likelihood (nats) of the `targets` [N] after the `states`
    [N, hidden], and the negative log-likelihoods [N] without gradient. It has one backward pass.

    Some rows at a time, the logits are computed and replaced in place by their gradient (as in Liger's fused
    linear cross-entropy, arXiv 2410.10989): two multiplications for forward and backward, and no memory.
    """
    head = _plain_head(model)
    if head is not None and torch.is_grad_enabled():
        return _FusedLoss.apply(states, head.weight, head.bias, targets, weights)  # type: ignore[no-any-return,no-untyped-call]

    def some_losses(some: Tensor, expected: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(logits(model, some), expected, reduction="none")

    rows = _rows_at_once(states, unwrapped(model).config.get_text_config().vocab_size)
    parts = zip(torch.split(states, rows), torch.split(targets, rows), strict=True)
    losses = torch.cat([checkpoint(some_losses, *part, use_reentrant=False) for part in parts])
    return (losses * weights).sum(), losses.detach()


def _rows_at_once(states: Tensor, vocabulary: int) -> int:
    return max(1, _AT_ONCE.get(states.device.type, _AT_ONCE["cpu"]) // vocabulary)


def _precise(numbers: Tensor) -> Tensor:
    """In float32 where they were less precise."""
    return numbers.to(torch.promote_types(numbers.dtype, torch.float32))


def _plain_head(model: Any) -> Any:
    """The head where it is a linear layer and nothing else; otherwise None."""
    bare = unwrapped(model)
    config = bare.config.get_text_config()
    if any(getattr(config, n, None) for n in ("logit_scale", "logits_scaling", "final_logit_softcapping")):
        return None
    head = bare.get_output_embeddings()
    # PEFT holds the trained copy of a layer beside the layer.
    if hasattr(head, "modules_to_save"):
        head = (
            head.original_module if head.disable_adapters else head.modules_to_save[head.active_adapters[0]]
        )
    return head if type(head) is torch.nn.Linear else None


class _FusedLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        rows = _rows_at_once(states, weight.shape[0])
        to_states = torch.empty_like(states)
        to_weight = torch.zeros_like(weight) if ctx.needs_input_grad[1] else None
        to_bias = torch.zeros_like(bias) if bias is not None and ctx.needs_input_grad[2] else None
        each = []
        for start in range(0, len(states), rows):
            part = slice(start, start + rows)
            some, expected, weigh = states[part], targets[part, None], weights[part, None]
            raw = torch.nn.functional.linear(some, weight, bias)
            found = _precise(raw)
            right, top = found.gather(1, expected), found.amax(1, keepdim=True)
            torch.softmax(found, 1, out=found)
            # The sum follows from the most likely token's probability, which never underflows.
            each.append((top - right - found.amax(1, keepdim=True).log())[:, 0])
            found.scatter_add_(1, expected, -torch.ones_like(right))
            gradient = found.to(raw.dtype)
            to_states[part] = (gradient @ weight) * weigh
            if to_weight is not None:
                to_weight.addmm_(gradient.T.to(weight.dtype), (some * weigh).to(weight.dtype))
            if to_bias is not None:
                to_bias += (gradient * weigh).sum(0)
        losses = torch.cat(each) if each else states.new_zeros(0)
        ctx.gradients = (to_states, to_weight, to_bias)
        ctx.mark_non_differentiable(losses)
        return (losses * weights).sum(), losses

    @staticmethod
    def backward(ctx: Any, gradient: Tensor, _: Any) -> Any:
        # They are changed in place: a second backward pass fails instead of being wrong.
        parts, ctx.gradients = ctx.gradients, ()
        to_states, to_weight, to_bias = (None if part is None else part.mul_(gradient) for part in parts)
        return to_states, to_weight, to_bias, None, None
