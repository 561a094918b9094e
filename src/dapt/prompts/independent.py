"""Independent text and visual prompts (IVLP, baseline in Khattak et al. 2023, arXiv 2210.03117)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.methods.ivlp import IvlpOptions
from dapt.prompts.base import (
    PromptArchitecture,
    check_depth,
    check_text_count,
    check_visual_count,
    deep_vectors,
    in_order,
    need_text,
    need_visual,
    random_vectors,
    start_context,
)


class IndependentPrompts(PromptArchitecture):
    """`ctx`, `deep_text.i` ``[n, text width]`` and `visual_ctx`, `deep_visual.i` ``[m, image width]``.

    With `depth_vision` 0 there are no visual prompts (language-only prompting).
    """

    recordable = True
    trains_context = True
    options: IvlpOptions

    def __init__(
        self, options: IvlpOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        need_text(clip)
        check_text_count(clip, options.n_ctx)
        depth = check_depth(options.depth, clip.text.layers, "text")
        depth_vision = options.depth if options.depth_vision is None else options.depth_vision
        self.trains_visual = depth_vision > 0
        self.ctx, self._words = start_context(clip, options.ctx_init, options.n_ctx, generator)
        self.deep_text = deep_vectors(options.n_ctx, depth, clip.text.width, generator)
        self.trains_deep_text = depth > 1
        self.visual_ctx: nn.Parameter | None = None
        self.deep_visual = nn.ParameterDict()
        if self.trains_visual:
            need_visual(clip)
            check_depth(depth_vision, clip.image.layers, "image")
            n_vision = check_visual_count(clip, options.n_ctx_vision or options.n_ctx, "prompt.n_ctx_vision")
            self.visual_ctx = random_vectors(n_vision, clip.image.width, generator=generator)
            self.deep_visual = deep_vectors(n_vision, depth_vision, clip.image.width, generator)

    def forward(self) -> Prompts:
        return Prompts(self.ctx, in_order(self.deep_text), self.visual_ctx, in_order(self.deep_visual))

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        return [self._tokenizer.with_context(names, self.options.n_ctx, words=self._words)]
