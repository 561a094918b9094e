"""The parts of one transformer block, so that a loop can share keys and values between sequences.

Only open_clip's standard residual block (pre-norm, `torch.nn.MultiheadAttention`) is taken apart; any other
block is called whole by the towers.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def can_take_apart(block: nn.Module) -> bool:
    """Whether `block` is open_clip's standard residual attention block."""
    attention = getattr(block, "attn", None)
    return (
        isinstance(attention, nn.MultiheadAttention)
        and attention.in_proj_weight is not None
        and attention.bias_k is None
        and not attention.add_zero_attn
        and attention.batch_first
        and not hasattr(block, "ln_1_kv")
        and all(hasattr(block, part) for part in ("ln_1", "ln_2", "mlp", "ls_1", "ls_2"))
    )


def queries_keys_values(attention: nn.MultiheadAttention, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Project ``[B, L, width]`` to three ``[B, heads, L, head width]`` tensors."""
    batch, length, width = x.shape
    projected = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    heads = projected.view(batch, length, 3, attention.num_heads, width // attention.num_heads)
    q, k, v = heads.permute(2, 0, 3, 1, 4).unbind(0)
    return q, k, v


def after_attention(block: nn.Module, x: Tensor, attended: Tensor) -> Tensor:
    """The rest of the block: output projection, residual, MLP, residual.

    Args:
        block: a block for which `can_take_apart` holds.
        x: block input ``[B, L, width]``.
        attended: attention output per head ``[B, heads, L, head width]``.
    """
    merged = attended.transpose(1, 2).flatten(2)
    attention = block.attn
    assert isinstance(attention, nn.MultiheadAttention)
    x = x + block.ls_1(attention.out_proj(merged))  # type: ignore[operator]
    rest: Tensor = x + block.ls_2(block.mlp(block.ln_2(x)))  # type: ignore[operator]
    return rest


def suffix_mask(prefix_length: int, suffix_length: int, device: torch.device) -> Tensor:
    """Boolean mask ``[S, P + S]``: a suffix position sees the whole prefix and itself and what is before it."""
    seen = torch.ones(suffix_length, prefix_length + suffix_length, dtype=torch.bool, device=device)
    return seen.tril(diagonal=prefix_length)


def shared_prefix_block(block: nn.Module, prefix: Tensor, suffix: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """One causal block over ``prefix ++ suffix[c]`` for every class c, the prefix computed once.

    Args:
        block: a block for which `can_take_apart` holds.
        prefix: ``[1, P, width]``, the same for all classes.
        suffix: ``[C, S, width]``.
        mask: from `suffix_mask`.

    Returns:
        prefix and suffix after the block.
    """
    attention = block.attn
    assert isinstance(attention, nn.MultiheadAttention)
    q_prefix, k_prefix, v_prefix = queries_keys_values(attention, block.ln_1(prefix))  # type: ignore[operator]
    q_suffix, k_suffix, v_suffix = queries_keys_values(attention, block.ln_1(suffix))  # type: ignore[operator]
    classes = suffix.shape[0]
    keys = torch.cat([k_prefix.expand(classes, -1, -1, -1), k_suffix], dim=2)
    values = torch.cat([v_prefix.expand(classes, -1, -1, -1), v_suffix], dim=2)
    prefix_out = F.scaled_dot_product_attention(q_prefix, k_prefix, v_prefix, is_causal=True)
    suffix_out = F.scaled_dot_product_attention(q_suffix, keys, values, attn_mask=mask)
    return after_attention(block, prefix, prefix_out), after_attention(block, suffix, suffix_out)
