"""What passes inside an image tower: the patch tokens at its last blocks, and what their attention makes of them.

The model runs as it always does, with prompts and adapters in place; hooks on the norms before attention keep the
tokens. From these, features of each patch are made in the joint space of images and texts: the last block is
known to spread what it knows over the whole picture, and its own attention is replaced by one that stays local.

- ``value``: each patch keeps its own value (MaskCLIP, Zhou et al., ECCV 2022, arXiv 2112.01071).
- ``qq``, ``kk``, ``vv``: patches attend to those with queries, keys, values like their own (SCLIP, Wang et al., ECCV
  2024, arXiv 2312.01597; CLIP Surgery, Li et al., arXiv 2304.05653; ClearCLIP, Lan et al., ECCV 2024,
  arXiv 2407.12442).
- ``qk``: the attention of the model itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor, nn

from dapt.clip.image_tower import HookedImageTower, ImageTower, NativeImageTower
from dapt.errors import NotSupportedError

LocalPath = Literal["value", "qq", "kk", "vv", "qk"]


@dataclass
class Taps:
    """The patch tokens at the last blocks of one pass, the last block at the end.

    Attributes:
        blocks: the blocks. entering: what enters each, ``[B, patches, width]``. normed: the same after its first norm.
    """

    blocks: list[nn.Module]
    entering: list[Tensor] = field(default_factory=list)
    normed: list[Tensor] = field(default_factory=list)


def require_taps(tower: ImageTower) -> NativeImageTower | HookedImageTower:
    """`tower`, if its patches can be looked at.

    Raises:
        NotSupportedError: it is not a ViT, or its attention is of another kind.
    """
    if isinstance(tower, (NativeImageTower, HookedImageTower)) and all(map(_is_known, tower.blocks)):
        return tower
    raise NotSupportedError(
        f"The patches of this image tower ({type(tower.visual).__name__}) cannot be looked at: it has no plain "
        "transformer blocks.",
        todo="Use a cue that needs none, such as --cue border, mask files (--masks), or a ViT backbone.",
    )


def _is_known(block: nn.Module) -> bool:
    attention = getattr(block, "attn", None)
    known = isinstance(attention, nn.MultiheadAttention) and attention.in_proj_weight is not None
    return (known or (hasattr(attention, "qkv") and hasattr(attention, "proj"))) and _first_norm(block) is not None


def _first_norm(block: nn.Module) -> nn.Module | None:
    norm = getattr(block, "norm1", None) or getattr(block, "ln_1", None)
    return norm if isinstance(norm, nn.Module) else None


@contextmanager
def tapped(tower: ImageTower, last: int = 1) -> Iterator[Taps]:
    """Inside, a pass through the tower leaves the patch tokens of its last blocks, so many, in what is handed out.

    Raises:
        NotSupportedError: see `require_taps`.
    """
    tower = require_taps(tower)
    count = tower.grid[0] * tower.grid[1]
    patches = slice(tower.first_patch, tower.first_patch + count)
    taps = Taps(list(tower.blocks)[-last:])
    seen: set[int] = set()

    def keep(module: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> None:
        if id(module) not in seen:  # a second call norms prompts alone
            seen.add(id(module))
            taps.entering.append(args[0][:, patches].detach())
            taps.normed.append(output[:, patches].detach())

    norms = [norm for block in taps.blocks if (norm := _first_norm(block)) is not None]
    handles = [norm.register_forward_hook(keep) for norm in norms]
    try:
        yield taps
    finally:
        for handle in handles:
            handle.remove()


def queries_keys_values(attention: nn.Module, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of normed tokens ``[B, L, width]``, each ``[B, heads, L, head width]``, by the projections of the model."""
    if isinstance(attention, nn.MultiheadAttention):
        heads = attention.num_heads
        projected = nn.functional.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    else:
        heads = int(attention.num_heads)  # type: ignore[arg-type]
        projected = attention.qkv(x)  # type: ignore[operator]
    batch, length, _ = x.shape
    q, k, v = projected.view(batch, length, 3, heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
    q = getattr(attention, "q_norm", nn.Identity())(q)
    k = getattr(attention, "k_norm", nn.Identity())(k)
    return q, k, v


def patch_attention(block: nn.Module, normed: Tensor) -> Tensor:
    """How far each patch attends to each other one, ``[B, patches, patches]``: mean over heads, rows sum to 1.

    Class token and prompts are left out, and the rest is scaled up to 1.
    """
    attention: nn.Module = block.attn  # type: ignore[assignment]
    q, k, _ = queries_keys_values(attention, normed)
    return _weights(q, k).mean(dim=1)


def _weights(q: Tensor, k: Tensor) -> Tensor:
    scores = q.float() @ k.float().transpose(-2, -1) / q.shape[-1] ** 0.5
    weights: Tensor = scores.softmax(dim=-1)
    return weights


def local_tokens(taps: Taps, path: LocalPath, *, whole_block: bool = False) -> Tensor:
    """Tokens of each patch after the last block, ``[B, patches, width]``, its attention replaced by `path`.

    Args:
        whole_block: also add what enters the block and its MLP, as MaskCLIP does; else neither (ClearCLIP).
    """
    block, entering, normed = taps.blocks[-1], taps.entering[-1], taps.normed[-1]
    attention: nn.Module = block.attn  # type: ignore[assignment]
    q, k, v = queries_keys_values(attention, normed)
    mixed = v
    if path != "value":
        left, right = {"qq": (q, q), "kk": (k, k), "vv": (v, v), "qk": (q, k)}[path]
        mixed = (_weights(left, right) @ v.float()).to(v.dtype)
    merged = mixed.transpose(1, 2).flatten(2)
    if isinstance(attention, nn.MultiheadAttention):
        out: Tensor = nn.functional.linear(merged, attention.out_proj.weight, attention.out_proj.bias)
    else:
        out = attention.proj(getattr(attention, "norm", nn.Identity())(merged))  # type: ignore[operator]
    if not whole_block:
        return out
    native = hasattr(block, "ln_1")
    first_scale, norm, second_scale = (
        getattr(block, name) for name in (("ls_1", "ln_2", "ls_2") if native else ("ls1", "norm2", "ls2"))
    )
    x: Tensor = entering + first_scale(out)
    after: Tensor = x + second_scale(block.mlp(norm(x)))  # type: ignore[operator]
    return after


def read_tokens(tower: ImageTower, tokens: Tensor) -> Tensor:
    """What the tower would read, ``[B, L, D]``, if each of the tokens ``[B, L, width]`` were all that it had to read.

    The model's own last norm, pooling and projection act on sequences that hold one token several times: whatever is
    pooled, first token, mean or attention, it is that token.
    """
    tower = require_taps(tower)
    batch, length, width = tokens.shape
    alone = tokens.reshape(batch * length, 1, width).expand(-1, tower.first_patch + 1, -1)
    features: Tensor
    if isinstance(tower, NativeImageTower):
        features = tower.read_pooled(alone)
    elif not hasattr(tower.visual, "trunk"):
        features = NativeImageTower(tower.visual).read_pooled(alone)
    else:
        trunk: nn.Module = tower.visual.trunk  # type: ignore[assignment]
        features = tower.visual.head(trunk.forward_head(trunk.norm(alone)))  # type: ignore[operator]
    return features.view(batch, length, -1)
