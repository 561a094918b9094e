"""The MLP of a CLIP block, with QuickGELU as one operation.

QuickGELU is ``x * sigmoid(1.702 x)`` (Radford et al. 2021, arXiv 2103.00020), that is ``silu(1.702 x) / 1.702``. The
factors are applied to the narrow input and output of the MLP, so the wide activation is a single `silu` and backward
needs a single tensor. The weights are frozen: no gradient is computed for them.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from open_clip.transformer import QuickGELU
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dapt.clip.linear import frozen_linear, left_to_torch, multiply
from dapt.clip.savings import Savings

SHARPNESS = 1.702


class _QuickGeluMlp(torch.autograd.Function):
    """``x [..., width]``; weights as in `torch.nn.Linear`. Gradient for x only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor, onednn: bool) -> Tensor:
        hidden = multiply(x * SHARPNESS, w1, b1 * SHARPNESS, onednn=onednn)
        active = F.silu(hidden, inplace=not ctx.needs_input_grad[0])
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(hidden, w1, w2)
            ctx.onednn = onednn
        return multiply(active, w2, b2 * SHARPNESS, onednn=onednn).mul_(1 / SHARPNESS)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, w1, w2 = ctx.saved_tensors
        # the two factors cancel; the wide gradient is changed in place
        wide = multiply(gradient, w2.t(), None, onednn=ctx.onednn)
        torch.ops.aten.silu_backward.grad_input(wide, hidden, grad_input=wide)
        return multiply(wide, w1.t(), None, onednn=ctx.onednn), None, None, None, None, None


def run_mlp(mlp: nn.Module, x: Tensor, use: Savings) -> Tensor:
    """``mlp(x)`` for ``[..., width]`` with frozen weights."""
    parts = list(mlp.children())
    if not is_plain_mlp(mlp):
        whole: Tensor = mlp(x)
        return whole
    activation = parts[1]
    w1, b1, w2, b2 = (value for part in parts[::2] for value in (part.weight, part.bias))
    if use.fused_gelu and isinstance(activation, QuickGELU) and not left_to_torch(x):
        fused: Tensor = _QuickGeluMlp.apply(x, w1, b1, w2, b2, use.by_onednn(x))
        return fused
    onednn = use.by_onednn(x)
    hidden = activation(frozen_linear(x, w1, b1, onednn=onednn))  # type: ignore[arg-type]
    return frozen_linear(hidden, w2, b2, onednn=onednn)  # type: ignore[arg-type]


def is_plain_mlp(mlp: nn.Module) -> bool:
    """Whether it is a linear layer, an activation and a linear layer, and nothing else."""
    parts = list(mlp.children())
    return isinstance(mlp, nn.Sequential) and len(parts) == 3 and all(map(_is_plain, parts[::2]))


def _is_plain(layer: nn.Module) -> bool:
    return type(layer) is nn.Linear and layer.bias is not None
