"""The parts of one transformer block, so that loops can compute only what is needed of it.

Only open_clip's standard residual block (pre-norm, `torch.nn.MultiheadAttention`) is taken apart; any other
block is called whole by the towers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.gelu import run_mlp
from dapt.clip.linear import frozen_linear
from dapt.clip.savings import Savings


def can_take_apart(block: nn.Module) -> bool:
    """Whether `block` is open_clip's standard residual attention block."""
    attention = getattr(block, "attn", None)
    return (
        isinstance(attention, nn.MultiheadAttention)
        and attention.in_proj_weight is not None
        and attention.in_proj_bias is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
        and attention.batch_first
        and not hasattr(block, "ln_1_kv")
        and all(hasattr(block, part) for part in ("ln_1", "ln_2", "mlp", "ls_1", "ls_2"))
    )


def attention_of(block: nn.Module) -> nn.MultiheadAttention:
    """The attention module of a block for which `can_take_apart` holds."""
    attention = block.attn
    assert isinstance(attention, nn.MultiheadAttention)
    return attention


def project(attention: nn.MultiheadAttention, x: Tensor, use: Savings, first: int = 0, last: int = 2) -> list[Tensor]:
    """Some of queries (0), keys (1) and values (2) of ``[B, L, width]``, each ``[B, heads, L, head width]``."""
    batch, length, width = x.shape
    rows = slice(first * width, (last + 1) * width)
    onednn = use.by_onednn(x)
    projected = frozen_linear(x, attention.in_proj_weight[rows], attention.in_proj_bias[rows], onednn=onednn)
    heads = projected.view(batch, length, last + 1 - first, attention.num_heads, width // attention.num_heads)
    return list(heads.permute(2, 0, 3, 1, 4).unbind(0))


def merge_heads(attended: Tensor) -> Tensor:
    """``[B, heads, L, head width]`` to ``[B, L, width]``."""
    return attended.transpose(1, 2).flatten(2)


def after_attention(block: nn.Module, x: Tensor, merged: Tensor, use: Savings) -> Tensor:
    """The rest of the block: output projection, residual, MLP, residual.

    Args:
        block: a block for which `can_take_apart` holds.
        x: block input ``[..., width]``. merged: attention output of the same shape, before its projection.
        use: which savings to use.
    """
    out = attention_of(block).out_proj
    projected = frozen_linear(merged, out.weight, out.bias, onednn=use.by_onednn(merged))
    x = x + block.ls_1(projected)  # type: ignore[operator]
    inner = block.ln_2(x)  # type: ignore[operator]
    rest: Tensor = x + block.ls_2(run_mlp(block.mlp, inner, use))  # type: ignore[operator,arg-type]
    return rest


def whole_block(block: nn.Module, x: Tensor, use: Savings) -> Tensor:
    """One block over ``[B, L, width]``."""
    q, k, v = project(attention_of(block), block.ln_1(x), use)  # type: ignore[operator]
    attended = F.scaled_dot_product_attention(q, k, v)
    return after_attention(block, x, merge_heads(attended), use)


def append_prompts(block: nn.Module, k: Tensor, v: Tensor, prompts: Tensor, use: Savings) -> tuple[Tensor, Tensor]:
    """Keys and values ``[B, heads, L, head width]`` with those of `prompts` ``[n, width]``, computed once, behind."""
    added = project(attention_of(block), block.ln_1(prompts.unsqueeze(0)), use, 1, 2)  # type: ignore[operator]
    more_k, more_v = (part.expand(k.shape[0], -1, -1, -1) for part in added)
    return torch.cat([k, more_k], dim=2), torch.cat([v, more_v], dim=2)


def block_with_prompts(block: nn.Module, x: Tensor, prompts: Tensor, use: Savings) -> Tensor:
    """One block over ``x ++ prompts`` whose outputs at the prompts are not wanted.

    The prompts are the same for the whole batch, so their keys and values are computed once.

    Args:
        x: ``[B, L, width]``. prompts: ``[n, width]``.

    Returns:
        ``[B, L, width]``.
    """
    attention = attention_of(block)
    inner = block.ln_1(x)  # type: ignore[operator]
    (q,) = project(attention, inner, use, 0, 0)
    k, v = project(attention, inner, use, 1, 2)
    k, v = append_prompts(block, k, v, prompts, use)
    attended = F.scaled_dot_product_attention(q, k, v)
    return after_attention(block, x, merge_heads(attended), use)


def pool_by_query(
    attention: nn.MultiheadAttention, query: Tensor, shared: Tensor, own: Tensor, hidden: Tensor | None = None
) -> Tensor:
    """Attention of one query per sequence, without computing keys and values of the sequence.

    ``q . (K x) = (K^T q) . x`` and ``sum p_j (V x_j) = V (sum p_j x_j)``: keys and values are linear, so the two
    projections act on one vector per head instead of on every token. A key bias adds the same to all scores
    of a query and drops out of the softmax.

    Args:
        query: ``[B, width]`` normalised input at the queried position.
        shared: ``[P, width]`` normalised tokens that all sequences see (P may be 0).
        own: ``[B, L, width]`` normalised tokens of each sequence.
        hidden: ``[B, L]`` bool, tokens of `own` that the query does not see.

    Returns:
        ``[B, width]``, heads merged, before the output projection.
    """
    batch, _, width = own.shape
    heads = attention.num_heads
    weights = attention.in_proj_weight.view(3, heads, width // heads, width)
    q = F.linear(query, attention.in_proj_weight[:width], attention.in_proj_bias[:width])
    q = q.view(batch, heads, -1).transpose(0, 1) * (width // heads) ** -0.5
    looked_for = torch.bmm(q, weights[1]).transpose(0, 1)  # [B, heads, width]
    scores = torch.bmm(looked_for, own.transpose(1, 2))
    if hidden is not None:
        scores = scores.masked_fill(hidden.unsqueeze(1), float("-inf"))
    count = shared.shape[0]
    if count:
        scores = torch.cat([looked_for @ shared.t(), scores], dim=2)
    share = scores.softmax(dim=-1)
    found = torch.bmm(share[:, :, count:], own)
    if count:
        found = found + share[:, :, :count] @ shared
    values = torch.bmm(found.transpose(0, 1), weights[2].transpose(1, 2))  # [heads, B, head width]
    return values.transpose(0, 1).reshape(batch, width) + attention.in_proj_bias[2 * width :]


def read_first_token(block: nn.Module, x: Tensor, use: Savings) -> Tensor:
    """The output ``[B, width]`` of a block at token 0 of ``[B, L, width]``, computing no other token."""
    inner = block.ln_1(x)  # type: ignore[operator]
    merged = pool_by_query(attention_of(block), inner[:, 0], inner[0, :0], inner)
    return after_attention(block, x[:, 0], merged, use)
