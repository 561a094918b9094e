"""Texts that share their leading tokens: the prefix once, the rest of each text packed without padding.

Causal towers only. Norms, projections and MLPs, nearly all of the work, run on the packed tokens; only the
small attention matrices are padded, and the causal mask hides the padding by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.blocks import after_attention, attention_of, merge_heads, pool_by_query, project
from dapt.clip.linear import frozen_linear
from dapt.clip.savings import Savings

TEXTS_PER_BUCKET = 32  # fewer would save padding and cost more calls


@dataclass(frozen=True)
class Bucket:
    """Texts of similar length, whose attention is computed together.

    Attributes:
        tokens: number of packed tokens. texts: how many. longest: S, the longest rest.
        rows: where each packed token stands among ``texts * S`` padded ones; None: nothing is padded.
        hidden: ``[texts, S]`` padding, or None. mask: ``[S, S]`` zeros where a position may look, else -inf.
    """

    tokens: int
    texts: int
    longest: int
    rows: Tensor | None
    hidden: Tensor | None
    mask: Tensor

    def pad(self, own: Tensor) -> Tensor:
        """The bucket's packed tokens ``[t, width]`` as ``[texts, S, width]``, zeros where nothing is."""
        width = own.shape[-1]
        if self.rows is not None:
            own = own.new_zeros(self.texts * self.longest, width).index_copy(0, self.rows, own)
        return own.view(self.texts, self.longest, width)

    def pack(self, padded: Tensor) -> Tensor:
        """``[texts, S, width]`` without its padding."""
        flat = padded.reshape(self.texts * self.longest, -1)
        return flat if self.rows is None else flat.index_select(0, self.rows)


@dataclass(frozen=True)
class Packing:
    """Which tokens of C texts form the prefix and the packed rest, which is sorted by length.

    Attributes:
        shared: P, the number of leading tokens computed once. longest: the longest rest.
        picked: ``[T]`` each packed token's place in ``[C * longest]``.
        ends: ``[C]`` packed index of each end-of-text. order: ``[C]`` the texts in the order of the buckets.
        back: ``[C]`` where each text stands in `order`.
    """

    shared: int
    longest: int
    picked: Tensor
    ends: Tensor
    order: Tensor
    back: Tensor
    buckets: tuple[Bucket, ...]

    @property
    def tokens(self) -> int:
        """T, the number of packed tokens."""
        return self.picked.shape[0]

    def split(self, packed: Tensor) -> list[Tensor]:
        """``[T, width]`` as one padded ``[texts, S, width]`` per bucket."""
        # split, not slices: the gradients of the parts are joined once instead of each being filled up with zeros
        parts = torch.split(packed, [bucket.tokens for bucket in self.buckets])
        return [bucket.pad(part) for bucket, part in zip(self.buckets, parts, strict=True)]


def make_packing(ends: Tensor, shared: int, *, packed: bool) -> Packing:
    """Plan for texts whose end-of-text stands at `ends` ``[C]``, of which the first `shared` tokens are common.

    Args:
        packed: leave out the padding; otherwise every rest is as long as the longest.
    """
    device = ends.device
    lengths = ends.cpu() + 1 - shared
    longest = int(lengths.max())
    order = lengths.argsort(descending=True, stable=True) if packed else torch.arange(len(lengths))
    kept = (lengths if packed else torch.full_like(lengths, longest))[order]
    inside = torch.arange(longest) < kept.unsqueeze(1)
    picked = (order.unsqueeze(1) * longest + torch.arange(longest))[inside]
    starts = kept.cumsum(0) - kept
    back = order.argsort()
    buckets = []
    first = 0
    while first < len(order):
        stop = len(order) if not packed else _bucket_end(kept, first)
        buckets.append(_make_bucket(kept[first:stop], lengths[order][first:stop], device))
        first = stop
    ends = (starts + lengths[order] - 1)[back]
    return Packing(
        shared,
        longest,
        picked=picked.to(device),
        ends=ends.to(device),
        order=order.to(device),
        back=back.to(device),
        buckets=tuple(buckets),
    )


def _bucket_end(lengths: Tensor, first: int) -> int:
    """Where the bucket that begins at `first` ends: whole groups of one length until there are enough texts."""
    stop = first
    while stop < len(lengths) and stop - first < TEXTS_PER_BUCKET:
        stop += int((lengths[stop:] == lengths[stop]).sum())
    return stop


def _make_bucket(kept: Tensor, lengths: Tensor, device: torch.device) -> Bucket:
    longest = int(kept.max())
    columns = torch.arange(longest)
    rows = (columns < kept.unsqueeze(1)).flatten().nonzero().squeeze(1)
    hidden = columns >= lengths.unsqueeze(1)
    mask = torch.full((longest, longest), float("-inf")).triu(1)
    return Bucket(
        int(kept.sum()),
        len(kept),
        longest,
        rows.to(device) if len(rows) < len(kept) * longest else None,
        hidden.to(device) if bool(hidden.any()) else None,
        mask.to(device),
    )


def packed_block(block: nn.Module, prefix: Tensor, rest: Tensor, plan: Packing, use: Savings) -> tuple[Tensor, Tensor]:
    """One causal block.

    Args:
        block: a block for which `can_take_apart` holds.
        prefix: ``[1, P, width]``. rest: ``[T, width]`` packed.

    Returns:
        prefix and rest after the block.
    """
    attention = attention_of(block)
    q, k, v = project(attention, block.ln_1(prefix), use)  # type: ignore[operator]
    inner = block.ln_1(rest)  # type: ignore[operator]
    projected = frozen_linear(inner, attention.in_proj_weight, attention.in_proj_bias, onednn=use.by_onednn(inner))
    heads = attention.num_heads
    merged = torch.cat(
        [
            bucket.pack(_attend(part, k[0], v[0], heads, bucket.mask))
            for bucket, part in zip(plan.buckets, plan.split(projected), strict=True)
        ]
    )
    rest = after_attention(block, rest, merged, use)
    if plan.shared:
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        prefix = after_attention(block, prefix, merge_heads(attended), use)
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


def read_ends(block: nn.Module, prefix: Tensor, rest: Tensor, plan: Packing, use: Savings) -> Tensor:
    """The output ``[C, width]`` of a causal block at each end-of-text, computing no other token."""
    inner = block.ln_1(rest)  # type: ignore[operator]
    common = block.ln_1(prefix)[0]  # type: ignore[operator]
    queries = torch.split(inner[plan.ends[plan.order]], [bucket.texts for bucket in plan.buckets])
    merged = torch.cat(
        [
            pool_by_query(attention_of(block), query, common, part, bucket.hidden)
            for bucket, query, part in zip(plan.buckets, queries, plan.split(inner), strict=True)
        ]
    )
    return after_attention(block, rest[plan.ends], merged[plan.back], use)
