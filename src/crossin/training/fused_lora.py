"""LoRA's layers in fewer passes over memory: one function for a layer and its adapter, forth and back."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def fuse(model: Any) -> int:
    """Let the plain LoRA layers of a PEFT model compute by one function of ours; returns how many there are.

    Plain are those on a linear layer that is itself not trained, without dropout, DoRA or quantisation. What
    they compute, train and save stays the same.
    """
    from peft.tuners.lora import Linear

    function = _function()
    fused = 0
    for module in model.modules():
        if isinstance(module, Linear) and _is_plain(module):
            module.crossin_usual = module.forward
            module.forward = MethodType(_forward(function), module)
            fused += 1
    return fused


def _is_plain(layer: Any) -> bool:
    import torch

    name = layer.active_adapters[0] if len(layer.active_adapters) == 1 else None
    base = layer.get_base_layer()
    return (
        name is not None
        and name in layer.lora_A
        and type(base) is torch.nn.Linear
        and not base.weight.requires_grad
        and isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and not layer.use_dora.get(name, False)
        and layer.lora_B[name].bias is None
        and name not in getattr(layer, "lora_variant", {})
    )


def _forward(function: Any) -> Any:
    import torch

    def forward(self: Any, x: torch.Tensor, *arguments: Any, **options: Any) -> torch.Tensor:
        unlike = self.disable_adapters or self.merged or len(self.active_adapters) != 1
        if unlike or arguments or options or torch.is_autocast_enabled(x.device.type):
            usual: torch.Tensor = self.crossin_usual(x, *arguments, **options)
            return usual
        (name,) = self.active_adapters
        base = self.get_base_layer()
        found: torch.Tensor = function.apply(
            x,
            base.weight,
            base.bias,
            self.lora_A[name].weight,
            self.lora_B[name].weight,
            self.scaling[name],
        )
        return found

    return forward


def _function() -> Any:
    import torch

    class FusedLora(torch.autograd.Function):
        """y = x W' + b + s (x A') B', with W and b frozen; A and B may be more precise than x, and what goes
        through them is then as precise, as in PEFT; but not on CUDA, where half precision alone is fast.
        """

        @staticmethod
        def forward(
            ctx: Any,
            x: torch.Tensor,
            weight: torch.Tensor,
            bias: torch.Tensor | None,
            down: torch.Tensor,
            up: torch.Tensor,
            scale: float,
        ) -> torch.Tensor:
            rows = x.reshape(-1, x.shape[-1])
            if x.is_cuda and x.dtype in (torch.bfloat16, torch.float16):
                down, up = down.to(x.dtype), up.to(x.dtype)
            inner = rows.to(down.dtype) @ down.T
            y = torch.nn.functional.linear(rows, weight, bias)
            y = y.to(up.dtype).addmm_(inner, up.T, alpha=scale).to(y.dtype)
            ctx.save_for_backward(rows, inner, weight, down, up)
            ctx.scale = scale
            return y.view(*x.shape[:-1], -1)

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> Any:
            rows, inner, weight, down, up = ctx.saved_tensors
            flat = gradient.reshape(-1, gradient.shape[-1])
            precise = flat.to(up.dtype)
            back = (precise @ up).mul_(ctx.scale)
            to_x = None
            if ctx.needs_input_grad[0]:
                to_x = flat @ weight
                to_x = to_x.to(down.dtype).addmm_(back, down).to(to_x.dtype)
                to_x = to_x.view(*gradient.shape[:-1], -1)
            to_down = back.T @ rows.to(down.dtype)
            to_up = (precise.T @ inner).mul_(ctx.scale)
            return to_x, None, None, to_down, to_up, None

    return FusedLora
