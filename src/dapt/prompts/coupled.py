"""MaPLe's coupled prompts: the visual prompts are linear maps of the text prompts.

Khattak et al. 2023, MaPLe: Multi-modal Prompt Learning, CVPR, arXiv 2210.03117. Widths come from the model.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.methods.maple import MapleOptions
from dapt.prompts.base import (
    PromptArchitecture,
    check_depth,
    check_text_count,
    deep_vectors,
    in_order,
    need_text,
    need_visual,
    seeded,
    start_context,
)


class CoupledPrompts(PromptArchitecture):
    """`ctx`, `deep_text.i` ``[n, text width]``; `proj`, `deep_proj.i`: linear, text width to image width.

    The deep maps start as copies of one initialised layer, as in the published code.
    """

    recordable = True
    trains_context = True
    trains_visual = True
    options: MapleOptions

    def __init__(
        self, options: MapleOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        need_text(clip)
        need_visual(clip)
        check_text_count(clip, options.n_ctx)
        depth = check_depth(options.depth, min(clip.text.layers, clip.image.layers), "shallower")
        widths = (clip.text.width, clip.image.width)
        self.ctx, self._words = start_context(clip, options.ctx_init, options.n_ctx, generator)
        self.deep_text = deep_vectors(options.n_ctx, depth, clip.text.width, generator)
        with seeded(generator):
            self.proj = nn.Linear(*widths)
            first = nn.Linear(*widths)
        self.deep_proj = nn.ModuleDict({str(i): copy.deepcopy(first) for i in range(1, depth)})
        self.trains_deep_text = depth > 1

    def forward(self) -> Prompts:
        deep = in_order(self.deep_text)
        mapped = tuple(self.deep_proj[str(i)](vectors) for i, vectors in enumerate(deep, start=1))
        return Prompts(self.ctx, deep, self.proj(self.ctx), mapped)

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        return [self._tokenizer.with_context(names, self.options.n_ctx, words=self._words)]
