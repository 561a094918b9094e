"""CoCoOp's conditional context (Zhou et al. 2022, CVPR, arXiv 2203.05557)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip
from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.methods.cocoop import CocoopOptions
from dapt.prompts.base import PromptArchitecture, check_text_count, need_text, seeded, start_context


class ConditionalPrompts(PromptArchitecture):
    """`ctx` ``[n, text width]`` and `meta_net`: linear, ReLU, linear, image feature to a shift of all vectors.

    Every image has class texts of its own, so the text tower runs once per image.
    """

    recordable = True
    trains_context = True
    conditional = True
    options: CocoopOptions

    def __init__(
        self, options: CocoopOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        need_text(clip)
        count = check_text_count(clip, options.n_ctx)
        self.ctx, self._words = start_context(clip, options.ctx_init, count, generator, longest=count)
        hidden = max(1, clip.embed_dim // options.reduction)
        with seeded(generator):
            layers = [
                ("linear1", nn.Linear(clip.embed_dim, hidden)),
                ("relu", nn.ReLU()),
                ("linear2", nn.Linear(hidden, clip.text.width)),
            ]
        self.meta_net = nn.Sequential(OrderedDict(layers))

    def forward(self) -> Prompts:
        return Prompts(text_ctx=self.ctx)

    def contexts(self, features: Tensor) -> Tensor:
        shift: Tensor = self.meta_net(features.to(self.ctx.dtype))
        return self.ctx + shift.unsqueeze(1)

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        return [self._tokenizer.with_context(names, self.options.n_ctx, words=self._words)]
