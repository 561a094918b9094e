"""The MLP of a CLIP block with QuickGELU as one operation.

QuickGELU is ``x * sigmoid(1.702 x)`` (Radford et al. 2021, arXiv 2103.00020), that is ``silu(1.702 x) / 1.702``. Both
factors ride along in the two matrix products, so the activation is a single `silu` and backward needs a single
tensor. The weights are frozen: no gradient is computed for them.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from open_clip.transformer import QuickGELU
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

SHARPNESS = 1.702


def has_quick_gelu(mlp: nn.Module) -> bool:
    """Whether `mlp` is open_clip's linear, QuickGELU, linear with plain weights."""
    if not isinstance(mlp, nn.Sequential) or len(mlp) != 3:
        return False
    first, activation, second = mlp
    plain = all(type(part) is nn.Linear and part.bias is not None for part in (first, second))
    return plain and isinstance(activation, QuickGELU)


class _QuickGeluMlp(torch.autograd.Function):
    """``x [N, width]``; weights as in `torch.nn.Linear`. Gradient for x only."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
        hidden = torch.addmm(b1, x, w1.t(), beta=SHARPNESS, alpha=SHARPNESS)
        active = F.silu(hidden, inplace=not ctx.needs_input_grad[0])
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(hidden, w1, w2)
        return torch.addmm(b2, active, w2.t(), alpha=1 / SHARPNESS)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, w1, w2 = ctx.saved_tensors
        # the two factors cancel
        inner = torch.ops.aten.silu_backward(gradient.mm(w2), hidden)
        return inner.mm(w1), None, None, None, None


def quick_gelu_mlp(mlp: nn.Module, x: Tensor) -> Tensor:
    """``mlp(x)`` for ``[..., width]``, where `has_quick_gelu` holds and the weights are frozen."""
    assert isinstance(mlp, nn.Sequential)
    first, second = mlp[0], mlp[2]
    assert isinstance(first, nn.Linear)
    assert isinstance(second, nn.Linear)
    flat = x.reshape(-1, x.shape[-1])
    result: Tensor = _QuickGeluMlp.apply(flat, first.weight, first.bias, second.weight, second.bias)
    return result.view(*x.shape[:-1], -1)
