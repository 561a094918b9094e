"""Visual prompt tuning beside fixed texts (Jia et al. 2022, arXiv 2203.12119; layout of the MaPLe code).

The prompts stand after the patches and start from N(0, 0.02^2). The original VPT for supervised ViTs puts
them between class token and patches and draws them uniformly; CLIP baselines of the field do as here.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dapt.clip.frozen import FrozenClip
from dapt.clip.prompts import Prompts
from dapt.methods.vpt import VptOptions
from dapt.prompts.base import check_depth, check_visual_count, deep_vectors, in_order, need_visual, random_vectors
from dapt.prompts.untrained import UntrainedPrompts


class VisualPrompts(UntrainedPrompts):
    """`visual_ctx` ``[n, image width]`` and `deep_visual.i` of the same shape."""

    recordable = True
    trains_visual = True
    options: VptOptions

    def __init__(self, options: VptOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator) -> None:
        super().__init__(options, clip, names, generator)
        need_visual(clip)
        check_visual_count(clip, options.n_ctx)
        width = clip.image.width
        depth = check_depth(options.depth, clip.image.layers, "image")
        self.visual_ctx = random_vectors(options.n_ctx, width, generator=generator)
        self.deep_visual = deep_vectors(options.n_ctx, depth, width, generator)

    def forward(self) -> Prompts:
        return Prompts(visual_ctx=self.visual_ctx, visual_deep=in_order(self.deep_visual))
