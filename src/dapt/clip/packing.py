"""Texts that share their leading tokens: the prefix once, the rest of each text packed without padding.

Causal towers only. Norms, projections and MLPs, nearly all of the work, run on the packed tokens; only the
small attention matrices are padded, and the causal mask hides the padding by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.blocks import after_attention, attention_of, merge_heads, pool_by_query, queries_keys_values


@dataclass(frozen=True)
class Packing:
    """Which tokens of C texts form the prefix and the packed rest.

    Attributes:
        shared: P, the number of leading tokens computed once.
        longest: S, the longest rest. rows: ``[T]`` where each packed token stands among ``C * S`` padded ones.
        ends: ``[C]`` packed index of each end-of-text. hidden: ``[C, S]`` padding.
        mask: ``[S, S]`` zeros where a position may look, minus infinity elsewhere.
        constant_rest: no context slot lies in the rest, so its embeddings are never trained.
    """

    shared: int
    longest: int
    rows: Tensor
    ends: Tensor
    hidden: Tensor
    mask: Tensor
    constant_rest: bool

    @property
    def texts(self) -> int:
        """Number of texts."""
        return self.ends.shape[0]

    def pad(self, packed: Tensor) -> Tensor:
        """``[T, width]`` to ``[C, S, width]``, zeros where nothing is."""
        width = packed.shape[-1]
        if packed.shape[0] == self.texts * self.longest:
            return packed.view(self.texts, self.longest, width)
        padded = packed.new_zeros(self.texts * self.longest, width)
        return padded.index_copy(0, self.rows, packed).view(self.texts, self.longest, width)

    def pack(self, padded: Tensor) -> Tensor:
        """``[C, S, width]`` to ``[T, width]``."""
        flat = padded.reshape(self.texts * self.longest, -1)
        return flat if flat.shape[0] == self.rows.shape[0] else flat.index_select(0, self.rows)


def make_packing(ends: Tensor, shared: int, *, packed: bool, constant_rest: bool) -> Packing:
    """Plan for texts whose end-of-text stands at `ends` ``[C]``, of which the first `shared` tokens are common.

    Args:
        packed: leave out the padding; otherwise every rest is as long as the longest.
    """
    device = ends.device
    lengths = ends.cpu() + 1 - shared
    longest = int(lengths.max())
    there = torch.arange(longest) < (lengths if packed else torch.full_like(lengths, longest)).unsqueeze(1)
    rows = there.flatten().nonzero().squeeze(1)
    starts = there.sum(dim=1).cumsum(0) - there.sum(dim=1)
    hidden = torch.arange(longest) >= lengths.unsqueeze(1)
    mask = torch.full((longest, longest), float("-inf")).triu(1)
    ends = (starts + lengths - 1).to(device)
    return Packing(shared, longest, rows.to(device), ends, hidden.to(device), mask.to(device), constant_rest)


def packed_block(
    block: nn.Module, prefix: Tensor, rest: Tensor, plan: Packing, *, fused_gelu: bool
) -> tuple[Tensor, Tensor]:
    """One causal block.

    Args:
        block: a block for which `can_take_apart` holds.
        prefix: ``[1, P, width]``. rest: ``[T, width]`` packed.

    Returns:
        prefix and rest after the block.
    """
    attention = attention_of(block)
    q, k, v = queries_keys_values(attention, block.ln_1(prefix))  # type: ignore[operator]
    inner = block.ln_1(rest)  # type: ignore[operator]
    projected = F.linear(inner, attention.in_proj_weight, attention.in_proj_bias)
    merged = plan.pack(_attend(plan.pad(projected), k[0], v[0], attention.num_heads, plan.mask))
    rest = after_attention(block, rest, merged, fused_gelu=fused_gelu)
    if plan.shared:
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        prefix = after_attention(block, prefix, merge_heads(attended), fused_gelu=fused_gelu)
    return prefix, rest


def _attend(projected: Tensor, keys: Tensor, values: Tensor, heads: int, mask: Tensor) -> Tensor:
    """Causal attention of each text over the shared prefix and itself.

    The prefix is one matrix for all texts, so it is neither repeated nor kept per text.

    Args:
        projected: ``[C, S, 3 * width]`` queries, keys and values. keys, values: ``[heads, P, head width]``.

    Returns:
        ``[C, S, width]``.
    """
    texts, length, tripled = projected.shape
    size = tripled // 3 // heads
    q, k, v = projected.view(texts, length, 3, heads, size).permute(2, 3, 0, 1, 4).contiguous().unbind(0)
    scale = size**-0.5
    flat_q, flat_k, flat_v = (part.view(heads * texts, length, size) for part in (q, k, v))
    scores = torch.baddbmm(mask.to(q.dtype).unsqueeze(0), flat_q, flat_k.transpose(1, 2), alpha=scale)
    count = keys.shape[1]
    if not count:
        mixed = torch.bmm(scores.softmax(dim=-1), flat_v)
    else:
        common = torch.bmm(q.view(heads, texts * length, size) * scale, keys.transpose(1, 2))
        scores = torch.cat([common.view(heads * texts, length, count), scores], dim=2)
        share = scores.softmax(dim=-1)
        mixed = torch.bmm(share[:, :, count:], flat_v)
        common = torch.bmm(share[:, :, :count].reshape(heads, texts * length, count), values)
        mixed = mixed + common.view_as(mixed)
    return mixed.view(heads, texts, length, size).permute(1, 2, 0, 3).reshape(texts, length, heads * size)


def read_ends(block: nn.Module, prefix: Tensor, rest: Tensor, plan: Packing, *, fused_gelu: bool) -> Tensor:
    """The output ``[C, width]`` of a causal block at each end-of-text, computing no other token."""
    inner = block.ln_1(rest)  # type: ignore[operator]
    common = block.ln_1(prefix)[0]  # type: ignore[operator]
    merged = pool_by_query(attention_of(block), inner[plan.ends], common, plan.pad(inner), plan.hidden)
    return after_attention(block, rest[plan.ends], merged, fused_gelu=fused_gelu)
