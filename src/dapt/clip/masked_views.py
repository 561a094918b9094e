"""Foreground and background features from one image pass, by hiding patches in attention.

DAPT (arXiv 2508.00395) encodes the image three times: whole, and twice with the pixels of one side hidden. Here the
image is encoded once, and beside its class token run two more, *readers*, that see the patches of one side only. They
write nothing that other tokens read, so the full feature is exactly that of `NativeImageTower.encode`. This is our own
approximation and not part of the paper: the patches a reader sees have themselves looked at the whole image, so what
is hidden still colours what it reads from the second block on.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.blocks import after_attention, append_prompts, attention_of, merge_heads, pool_by_query, project
from dapt.clip.image_tower import ImageTower, NativeImageTower
from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.clip.savings import Savings
from dapt.errors import NotSupportedError

READERS = 2  # tokens run as: foreground reader, background reader, class token, patches, prompts
HEADING = READERS + 1


def require_readers(tower: ImageTower) -> NativeImageTower:
    """`tower`, if readers can run beside its class token.

    Raises:
        NotSupportedError: they cannot.
    """
    if isinstance(tower, NativeImageTower) and tower.apart and tower.reads_class_token:
        return tower
    raise NotSupportedError(
        f"Views by attention need an open_clip ViT with standard blocks that reads its class token; this image tower "
        f"({type(tower.visual).__name__}) is another.",
        todo="Use dapt.views=pixels.",
    )


def encode_views(
    tower: ImageTower, images: Tensor, masks: Tensor, prompts: Prompts = NO_PROMPTS
) -> tuple[Tensor, Tensor, Tensor]:
    """Full, foreground and background features, each ``[B, D]``, not normalised.

    The readers start as the class token does, see the visual prompts, themselves and the patches of their side:
    a patch belongs to the foreground if at least half of its area does. A side without patches gives a finite
    feature, of the prompts alone.

    Args:
        tower: see `require_readers`.
        images: pixels ``[B, 3, H, W]``. masks: ``[B, 1, H, W]`` in 0..1, 1 = foreground.
        prompts: the visual prompts.

    Raises:
        NotSupportedError: the tower cannot do this, or the prompts do not fit it.
    """
    tower = require_readers(tower)
    with tower.adapted(prompts):
        return _encode_views(tower, images, masks, prompts)


def _encode_views(
    tower: NativeImageTower, images: Tensor, masks: Tensor, prompts: Prompts
) -> tuple[Tensor, Tensor, Tensor]:
    use = tower.savings
    x = tower.embed(images, prompts)
    x = torch.cat([x[:, :1].expand(-1, READERS, -1), x], dim=1)
    own = x.shape[1]
    longest = max((part.shape[0] for part in (prompts.visual_ctx, *prompts.visual_deep) if part is not None), default=0)
    seen = _who_sees_whom(foreground_patches(tower, masks), longest)
    for index, block in enumerate(tower.blocks):
        fresh = tower.fresh_prompts(index, prompts, x.dtype)
        if fresh is not None and index < len(prompts.visual_deep):  # replaced by the next block: keys and values only
            x = tower.call(partial(_block, block, seen, use), x[:, :own], fresh)
            continue
        if fresh is not None:
            x = torch.cat([x[:, :own], fresh.expand(x.shape[0], -1, -1)], dim=1)
        step = _read_heading if index == tower.layers - 1 else _block
        x = tower.call(partial(step, block, seen, use), x)
    foreground, background, full = tower.finish(x, prompts).unbind(1)
    return full, foreground, background


def foreground_patches(tower: NativeImageTower, masks: Tensor) -> Tensor:
    """``[B, patches]`` bool: at least half of the patch is foreground. `masks`: ``[B, 1, H, W]`` in 0..1."""
    patch: tuple[int, int] = tower.visual.conv1.kernel_size  # type: ignore[assignment,union-attr]
    return F.avg_pool2d(masks.float(), patch).flatten(1) >= 0.5


def _who_sees_whom(foreground: Tensor, prompts: int) -> Tensor:
    """``[B, 1, L, L]`` bool, rows the queries, for L = heading, patches and so many prompts."""
    batch, patches = foreground.shape
    length = HEADING + patches + prompts
    seen = foreground.new_ones(batch, length, length)
    seen[:, :, :HEADING] = False
    seen[:, READERS:, READERS] = True  # the class token, by all but the readers
    for reader, side in enumerate((foreground, ~foreground)):
        seen[:, reader, reader] = True
        seen[:, reader, HEADING : HEADING + patches] = side
    return seen.unsqueeze(1)


def _block(block: nn.Module, seen: Tensor, use: Savings, x: Tensor, added: Tensor | None = None) -> Tensor:
    """One block over ``[B, L, width]``, with `added` ``[n, width]`` as more keys and values."""
    attention = attention_of(block)
    q, k, v = project(attention, block.ln_1(x), use)  # type: ignore[operator]
    if added is not None:
        k, v = append_prompts(block, k, v, added, use)
    attended = F.scaled_dot_product_attention(q, k, v, attn_mask=seen[:, :, : q.shape[2], : k.shape[2]])
    return after_attention(block, x, merge_heads(attended), use)


def _read_heading(block: nn.Module, seen: Tensor, use: Savings, x: Tensor) -> Tensor:
    """The last block: its output ``[B, 3, width]`` at readers and class token, computing no other token."""
    attention = attention_of(block)
    inner = block.ln_1(x)  # type: ignore[operator]
    hidden = ~seen[:, 0, :HEADING, : x.shape[1]]
    merged = [pool_by_query(attention, inner[:, at], inner[0, :0], inner, hidden[:, at]) for at in range(HEADING)]
    return after_attention(block, x[:, :HEADING], torch.stack(merged, dim=1), use)
