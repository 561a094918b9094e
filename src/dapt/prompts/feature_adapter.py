"""CLIP-Adapter: a bottleneck behind the image tower.

Gao et al. 2021, CLIP-Adapter: Better Vision-Language Models with Feature Adapters, arXiv 2110.04544. The adapter
belongs to no class, so it serves new classes with their texts.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip
from dapt.methods.clip_adapter import ClipAdapterOptions
from dapt.prompts.base import seeded
from dapt.prompts.untrained import UntrainedPrompts


class FeatureAdapterPrompts(UntrainedPrompts):
    """`down` ``[D / reduction, D]`` and `up` ``[D, D / reduction]``, both without bias and followed by a ReLU."""

    recordable = True
    trains_visual = True
    options: ClipAdapterOptions

    def __init__(
        self, options: ClipAdapterOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        width = clip.embed_dim
        narrow = max(1, width // options.reduction)
        self.saved_views = options.views
        with seeded(generator):
            self.down = nn.Linear(width, narrow, bias=False)
            self.up = nn.Linear(narrow, width, bias=False)

    def map_image(self, raw: Tensor, *, whole: bool = True) -> Tensor:
        given = raw.float()
        ratio = self.options.ratio
        adapted: Tensor = self.up(self.down(given).relu()).relu()
        return ratio * adapted + (1 - ratio) * given
