"""The model's head at the places that are learned, without ever holding all their logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crossin.train.passes import unwrapped

if TYPE_CHECKING:
    import torch

# So many logits at a time.
_AT_ONCE = 2**22


def logits(model: Any, states: torch.Tensor) -> torch.Tensor:
    """The logits [N, vocabulary] of states [N, hidden], in float32, with what the model does behind its
    head.
    """
    import torch

    bare = unwrapped(model)
    config = bare.config.get_text_config()
    found: torch.Tensor = bare.get_output_embeddings()(states).float()
    if scale := getattr(config, "logit_scale", None):
        found = found * scale
    if scaling := getattr(config, "logits_scaling", None):
        found = found / scaling
    if cap := getattr(config, "final_logit_softcapping", None):
        found = torch.tanh(found / cap) * cap
    return found


def token_losses(
    model: Any, states: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum of weight times negative log-likelihood (nats) of the `targets` [N] after the `states`
    [N, hidden], and the negative log-likelihoods [N] without gradient.

    Logits are made some rows at a time, and their gradient at once from them, in place (as the fused linear
    cross-entropy of Liger, arXiv 2410.10989): forth and back they cost two multiplications and no memory.
    """
    import torch

    head = _plain_head(model)
    if head is None or not torch.is_grad_enabled():
        rows = max(1, _AT_ONCE // 2**15)
        each = [
            torch.nn.functional.cross_entropy(logits(model, some), wanted, reduction="none")
            for some, wanted in zip(torch.split(states, rows), torch.split(targets, rows), strict=True)
        ]
        losses = torch.cat(each)
        return (losses * weights).sum(), losses.detach()
    return _function().apply(states, head.weight, head.bias, targets, weights)  # type: ignore[no-any-return]


def _plain_head(model: Any) -> Any:
    """The linear layer of a head behind which nothing is done; None where there is more to it."""
    import torch

    bare = unwrapped(model)
    config = bare.config.get_text_config()
    if any(getattr(config, n, None) for n in ("logit_scale", "logits_scaling", "final_logit_softcapping")):
        return None
    head = bare.get_output_embeddings()
    # PEFT keeps the trained copy of a layer beside the layer.
    copies = getattr(head, "modules_to_save", None)
    if copies is not None and "default" in copies:
        head = copies["default"]
    return head if type(head) is torch.nn.Linear else None


def _function() -> Any:
    import torch

    class FusedLoss(torch.autograd.Function):
        @staticmethod
        def forward(
            ctx: Any,
            states: torch.Tensor,
            weight: torch.Tensor,
            bias: torch.Tensor | None,
            targets: torch.Tensor,
            weights: torch.Tensor,
        ) -> tuple[torch.Tensor, torch.Tensor]:
            rows = max(1, _AT_ONCE // weight.shape[0])
            losses = torch.empty(len(states), device=states.device)
            to_states = torch.empty_like(states)
            to_weight = torch.zeros_like(weight) if weight.requires_grad else None
            to_bias = torch.zeros_like(bias) if bias is not None and bias.requires_grad else None
            for start in range(0, len(states), rows):
                part = slice(start, start + rows)
                some = states[part]
                raw = torch.nn.functional.linear(some, weight, bias)
                found = raw.float()
                wanted = targets[part, None]
                right = found.gather(1, wanted)
                found -= found.amax(1, keepdim=True)
                shift = right - found.gather(1, wanted)
                found.exp_()
                total = found.sum(1, keepdim=True)
                losses[part] = (total.log() + shift - right)[:, 0]
                found *= weights[part, None] / total
                found.scatter_add_(1, wanted, -weights[part, None])
                gradient = found.to(weight.dtype)
                torch.mm(gradient, weight, out=to_states[part])
                if to_weight is not None:
                    to_weight.addmm_(gradient.T, some)
                if to_bias is not None:
                    to_bias += gradient.sum(0)
            ctx.gradients = (to_states, to_weight, to_bias)
            ctx.mark_non_differentiable(losses)
            return (losses * weights).sum(), losses

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor, _: Any) -> Any:
            parts = [None if part is None else part.mul_(gradient) for part in ctx.gradients]
            return (*parts, None, None)

    return FusedLoss
