"""The image tower of a CLIP by few kernels, see `few_kernels.py`."""

from __future__ import annotations

from functools import partial

import torch
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from dapt.clip.few_kernels import attention, by_few_kernels, overwrite, runs_by_few_kernels
from dapt.clip.prompts import Prompts
from dapt.clip.savings import Savings

MOST_PROMPTS = 4  # a prompt per so many patches at most: more are cheaper as keys and values alone


class FewImageKernels:
    """open_clip's VisionTransformer, whose blocks can be taken apart and whose class token is read.

    The prompts are further tokens in every block; those that enter later are written over those of before.

    Args:
        visual: the model's image tower.
    """

    def __init__(self, visual: nn.Module) -> None:
        self._visual = visual
        self._blocks = by_few_kernels(visual.transformer.resblocks)  # type: ignore[union-attr,arg-type]
        self._plain = getattr(type(visual), "_embeds", None) is VisionTransformer._embeds
        self._made: dict[object, Tensor] = {}

    def fits(self, use: Savings, prompts: Prompts) -> bool:
        """Whether images with these prompts are to be computed this way."""
        weight: Tensor = self._visual.conv1.weight  # type: ignore[union-attr,assignment]
        count = 0 if prompts.visual_ctx is None else prompts.visual_ctx.shape[0]
        few = count * MOST_PROMPTS <= self._visual.positional_embedding.shape[0]  # type: ignore[index]
        return bool(self._blocks) and self._plain and bool(few) and runs_by_few_kernels(use, weight)

    def read(self, images: Tensor, prompts: Prompts) -> Tensor:
        """The class token ``[B, width]`` behind the last block, normed, of pixels ``[B, 3, H, W]``."""
        count = 0 if prompts.visual_ctx is None else prompts.visual_ctx.shape[0]
        x = self._embed(images, prompts.visual_ctx if count else None)
        start, deep = x.shape[1] - count, prompts.visual_deep if count else ()
        for index, block in enumerate(self._blocks):
            if 1 <= index <= len(deep):
                stays = self._stays(x.shape[1], count, x)
                x = overwrite(x, deep[index - 1], partial(_behind, start=start), stays)
            merged = block.attended(x, attention)
            if index == len(self._blocks) - 1:
                x, merged = x[:, 0], merged[:, 0]
            x = block.after(x, merged)
        return self._blocks[-1].norm(self._visual.ln_post, x)  # type: ignore[arg-type]

    def _embed(self, images: Tensor, prompts: Tensor | None) -> Tensor:
        """Class token, patches and prompts ``[B, L, width]`` at the input of the first block."""
        visual = self._visual
        patches: Tensor = visual.conv1(images.to(visual.conv1.weight.dtype))  # type: ignore[operator,union-attr,arg-type]
        first: Tensor = visual.class_embedding  # type: ignore[assignment]
        parts = [first.to(patches.dtype).expand(len(images), 1, -1), patches.flatten(2).transpose(1, 2)]
        positions: Tensor = visual.positional_embedding.to(patches.dtype)  # type: ignore[assignment]
        if prompts is None:
            x = torch.cat(parts, dim=1) + positions
        else:
            parts.append(prompts.to(patches.dtype).expand(len(images), -1, -1))
            x = torch.cat(parts, dim=1) + torch.cat([positions, positions.new_zeros(prompts.shape)])
        return self._blocks[0].norm(visual.ln_pre, x)  # type: ignore[arg-type]

    def _stays(self, length: int, count: int, like: Tensor) -> Tensor:
        """``[L, 1]`` 0 for the last `count` tokens, 1 for the others; made once."""
        key = (length, count, like.dtype, like.device)
        if key not in self._made:
            with torch.inference_mode(False):
                made = torch.ones(length, 1, dtype=like.dtype, device=like.device)
                made[length - count :] = 0
                self._made[key] = made
        return self._made[key]


def _behind(x: Tensor, start: int) -> list[Tensor]:
    return [x[:, start:]]
