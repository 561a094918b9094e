"""Linear layers with frozen weights: no weight gradient, nothing kept for backward, the faster library on CPUs.

On x86 CPUs in float32, torch multiplies by MKL; oneDNN, which it ships as well, is faster on some of them, and adds the
bias on the way (`linear_choice.py` finds out where). torch reaches it through the operator its compiler uses.
Everywhere else this is `torch.nn.functional.linear`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.utils.flop_counter import register_flop_formula

from dapt.processor import is_x86


def _has_onednn() -> bool:
    built: bool = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return is_x86() and built and hasattr(torch.ops.mkldnn, "_linear_pointwise")


HAS_ONEDNN = _has_onednn()

if HAS_ONEDNN:  # so that torch's FLOP counter sees these products like any other

    @register_flop_formula(torch.ops.mkldnn._linear_pointwise)
    def _flops(x: Sequence[int], weight: Sequence[int], *rest: Any, **named: Any) -> int:
        rows = 1
        for size in x[:-1]:
            rows *= size
        return 2 * rows * weight[0] * weight[1]


def has_a_choice(x: Tensor) -> bool:
    """Whether there are two libraries for products of `x`."""
    return HAS_ONEDNN and x.device.type == "cpu" and x.dtype == torch.float32


def multiply(x: Tensor, weight: Tensor, bias: Tensor | None, *, onednn: bool) -> Tensor:
    """``x @ weight^T + bias`` without gradient; `weight` may be a transposed view."""
    if onednn and has_a_choice(x) and x.numel():
        product: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
        return product
    return F.linear(x, weight, bias)


class _FrozenLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, onednn: bool) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.onednn = onednn
        return multiply(x, weight, bias, onednn=onednn)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (weight,) = ctx.saved_tensors
        return multiply(gradient, weight.t(), None, onednn=ctx.onednn), None, None, None


def left_to_torch(x: Tensor) -> bool:
    """Whether torch itself has to see the layers: it decides the types under autocast, and what is compiled."""
    return torch.is_autocast_enabled(x.device.type) or torch.compiler.is_compiling()


def frozen_linear(x: Tensor, weight: Tensor, bias: Tensor | None, *, onednn: bool = True) -> Tensor:
    """`torch.nn.functional.linear` of ``[..., in]`` with a weight ``[out, in]`` that is not trained.

    A weight with a trained update (adapters.py) gets its gradient from torch's own function.
    """
    if weight.requires_grad or left_to_torch(x):
        return F.linear(x, weight, bias)
    result: Tensor = _FrozenLinear.apply(x, weight, bias, onednn)
    return result
