"""Blocks of a frozen tower by few kernels, for GPUs, where a small kernel takes as long as a larger one.

What is saved is saved as on a CPU: no weight gradients, nothing kept for them, one tensor of the MLP. What differs is
the form: queries, keys and values are one product whose gradient is put together by one copy, norms run in the type of
the towers (their weights are rounded to it once), the factors of QuickGELU ride on the matrix products, and prompts
that replace others are written in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from open_clip.transformer import LayerNorm, LayerNormFp32, QuickGELU
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from dapt.clip.blocks import attention_of, can_take_apart
from dapt.clip.gelu import SHARPNESS, is_plain_mlp
from dapt.clip.linear import left_to_torch
from dapt.clip.savings import Savings

Parts = Callable[[Tensor], Sequence[Tensor]]


def runs_by_few_kernels(use: Savings, x: Tensor) -> bool:
    """Whether a tower whose weights are like `x` runs this way; never where torch itself chooses types and kernels."""
    return use.few_kernels(x.device) and not left_to_torch(x)


class FewKernels:
    """A block, for which `can_take_apart` holds, by few kernels.

    Attributes:
        block: whose weights are used, as they are at the time of a call.
    """

    def __init__(self, block: nn.Module) -> None:
        self.block = block
        self._made: dict[str, tuple[Any, Tensor]] = {}

    def attended(self, x: Tensor, attend: Callable[[Tensor, int], Tensor]) -> Tensor:
        """What `attend` makes of queries, keys and values ``[..., 3 * width]`` of the block's input ``[..., width]``.

        Args:
            attend: called with them and the number of heads.
        """
        own = attention_of(self.block)
        inner = self.norm(self.block.ln_1, x)  # type: ignore[arg-type]
        return attend(F.linear(inner, own.in_proj_weight, own.in_proj_bias), own.num_heads)

    def after(self, x: Tensor, merged: Tensor) -> Tensor:
        """The rest of the block: output projection, residual, MLP, residual.

        Args:
            x: block input ``[..., width]``. merged: attention output of the same shape, before its projection.
        """
        block, out = self.block, attention_of(self.block).out_proj
        x = x + block.ls_1(F.linear(merged, out.weight, out.bias))  # type: ignore[operator]
        inner = self.norm(block.ln_2, x)  # type: ignore[arg-type]
        rest: Tensor = x + block.ls_2(self._mlp(inner))  # type: ignore[operator]
        return rest

    def norm(self, layer: nn.Module, x: Tensor) -> Tensor:
        """``layer(x)``, of a layer norm in the type of `x`; a norm that somebody looks at is called as a module."""
        if type(layer) not in (LayerNorm, LayerNormFp32, nn.LayerNorm) or layer._forward_hooks:
            normed: Tensor = layer(x)
            return normed
        assert isinstance(layer, nn.LayerNorm)
        weight, bias = (
            None if part is None else self._kept(f"{id(layer)}.{name}", part, lambda p: p.to(x.dtype), x.dtype)
            for name, part in (("weight", layer.weight), ("bias", layer.bias))
        )
        return F.layer_norm(x, layer.normalized_shape, weight, bias, layer.eps)

    def _mlp(self, x: Tensor) -> Tensor:
        mlp: nn.Module = self.block.mlp  # type: ignore[assignment]
        parts = list(mlp.children())
        if not is_plain_mlp(mlp) or not isinstance(parts[1], QuickGELU):
            whole: Tensor = mlp(x)
            return whole
        (w1, b1), (w2, b2) = ((part.weight, part.bias) for part in parts[::2])
        sharp = self._kept("sharp", b1, lambda bias: bias * SHARPNESS)  # type: ignore[arg-type]
        fused: Tensor = _Mlp.apply(x, w1, sharp, w2, b2)
        return fused

    def _kept(self, name: str, source: Tensor, make: Callable[[Tensor], Tensor], *more: object) -> Tensor:
        """What `make` makes of a frozen weight; made once."""
        version = -1 if source.is_inference() else source._version
        key = (source.data_ptr(), version, source.dtype, source.device, *more)
        found = self._made.get(name)
        if found is None or found[0] != key:
            with torch.inference_mode(False), torch.no_grad():
                found = self._made[name] = key, make(source.detach())
        return found[1]


def by_few_kernels(blocks: Sequence[nn.Module]) -> list[FewKernels]:
    """The blocks, or none, where one of them cannot be run this way."""
    return [FewKernels(block) for block in blocks] if all(map(can_take_apart, blocks)) else []


class _Mlp(torch.autograd.Function):
    """Linear, QuickGELU, linear of ``[..., width]`` in three kernels, and three backward: gradient for x only.

    QuickGELU is ``silu(1.702 x) / 1.702`` (see `gelu.py`); both factors scale a matrix product, whose bias is given
    scaled, and cancel backward.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, w1: Tensor, sharp: Tensor, w2: Tensor, b2: Tensor) -> Tensor:
        hidden = torch.addmm(sharp, x.reshape(-1, x.shape[-1]), w1.t(), alpha=SHARPNESS)
        active = F.silu(hidden, inplace=not ctx.needs_input_grad[0])
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(hidden, w1, w2)
        return torch.addmm(b2, active, w2.t(), alpha=1 / SHARPNESS).view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, w1, w2 = ctx.saved_tensors
        wide = gradient.reshape(-1, gradient.shape[-1]) @ w2
        torch.ops.aten.silu_backward.grad_input(wide, hidden, grad_input=wide)
        return (wide @ w1).view(*gradient.shape[:-1], -1), None, None, None, None


def attention(projected: Tensor, heads: int, *, causal: bool = False) -> Tensor:
    """Attention of ``[B, L, 3 * width]`` queries, keys and values, heads merged: ``[B, L, width]``.

    The three are taken apart behind the tokens, so that the gradient is put together in the order it is multiplied in.
    """
    batch, length, tripled = projected.shape
    q, k, v = projected.view(batch, length, 3, heads, tripled // 3 // heads).unbind(2)
    attended = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=causal)
    return attended.transpose(1, 2).flatten(2)


class _Overwrite(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, values: Tensor, parts: Parts, rest: Tensor) -> Tensor:
        for part in parts(x):
            part.copy_(values)
        ctx.parts, ctx.kind = parts, values.dtype
        ctx.save_for_backward(rest)
        ctx.mark_dirty(x)
        return x

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (rest,) = ctx.saved_tensors
        values = None
        if ctx.needs_input_grad[1]:
            each = [part.sum(dim=0, dtype=ctx.kind) for part in ctx.parts(gradient)]
            values = each[0]
            for more in each[1:]:
                values = values + more
        return gradient * rest if ctx.needs_input_grad[0] else None, values, None, None


def overwrite(x: Tensor, values: Tensor, parts: Parts, rest: Tensor) -> Tensor:
    """`x`, changed in place: `values` ``[n, width]`` stand in all of its `parts`.

    Args:
        x: tokens that nobody else reads.
        parts: takes a tensor like `x` apart into views ``[R, n, width]``.
        rest: 1 where a token stays and 0 where it is overwritten, to be multiplied with `x`.
    """
    written: Tensor = _Overwrite.apply(x, values, parts, rest)
    return written
