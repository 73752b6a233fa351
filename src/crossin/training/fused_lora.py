"""A linear layer and its LoRA adapter as one autograd function, with less memory traffic."""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from torch import Tensor


def fuse(model: Any) -> int:
    """Let the plain LoRA layers of a PEFT model compute by the fused function; returns how many there are.

    Plain are those on a frozen linear layer, without dropout, DoRA or quantisation. What they compute, train
    and save stays the same.
    """
    from peft.tuners.lora import Linear

    fused = 0
    for module in model.modules():
        if isinstance(module, Linear) and _is_plain(module):
            module.crossin_original = module.forward
            module.forward = MethodType(_forward, module)
            fused += 1
    return fused


def _is_plain(layer: Any) -> bool:
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


def _forward(self: Any, x: Tensor, *arguments: Any, **options: Any) -> Tensor:
    unlike = self.disable_adapters or self.merged or len(self.active_adapters) != 1
    if unlike or arguments or options or torch.is_autocast_enabled(x.device.type):
        return self.crossin_original(x, *arguments, **options)  # type: ignore[no-any-return]
    (name,) = self.active_adapters
    base = self.get_base_layer()
    down, up = self.lora_A[name].weight, self.lora_B[name].weight
    return _FusedLora.apply(x, base.weight, base.bias, down, up, self.scaling[name])  # type: ignore[no-any-return,no-untyped-call]


class _FusedLora(torch.autograd.Function):
    """y = x W' + b + s (x A') B', with W and b frozen. Where A and B are more precise than x, so is what goes
    through them, as in PEFT; but not on CUDA, where only half precision is fast.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, down: Tensor, up: Tensor, scale: float
    ) -> Tensor:
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
    def backward(ctx: Any, gradient: Tensor) -> Any:
        rows, inner, weight, down, up = ctx.saved_tensors
        flat = gradient.reshape(-1, gradient.shape[-1])
        precise = flat.to(up.dtype)
        back = (precise @ up).mul_(ctx.scale)
        to_x = None
        if ctx.needs_input_grad[0]:
            to_x = flat @ weight
            to_x = to_x.to(down.dtype).addmm_(back, down).to(to_x.dtype).view(*gradient.shape[:-1], -1)
        to_down = back.T @ rows.to(down.dtype)
        to_up = (precise.T @ inner).mul_(ctx.scale)
        return to_x, None, None, to_down, to_up, None
