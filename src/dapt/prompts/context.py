"""CoOp's context vectors in the class texts (Zhou et al. 2022, arXiv 2109.01134)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from dapt.clip.frozen import FrozenClip
from dapt.clip.prompts import Prompts
from dapt.clip.tokens import PromptTokens
from dapt.errors import ConfigError, NotSupportedError
from dapt.methods.coop import CoopOptions
from dapt.methods.prograd import ProGradOptions
from dapt.prompts.base import PromptArchitecture, check_text_count, need_text, random_vectors, word_vectors


class ContextPrompts(PromptArchitecture):
    """`ctx` ``[n, text width]`` shared by all classes, or ``[C, n, text width]`` class-specific."""

    recordable = True
    trains_context = True
    options: CoopOptions

    def __init__(
        self, options: CoopOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        need_text(clip)
        check_text_count(clip, options.n_ctx)
        self.fixed_classes = self.binds_classes(options)
        self._words = options.ctx_init.replace("_", " ") if options.ctx_init else None
        shape = (options.n_ctx, clip.text.width)
        if self._words:
            self.ctx = word_vectors(clip, self._words, options.n_ctx)
        elif options.class_specific:
            self.ctx = random_vectors(len(self.names), *shape, generator=generator)
        else:
            self.ctx = random_vectors(*shape, generator=generator)

    @classmethod
    def binds_classes(cls, options: CoopOptions) -> bool:
        return options.class_specific

    def forward(self) -> Prompts:
        return Prompts(text_ctx=self.ctx)

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        if self.options.class_specific and list(names) != self.names:
            raise NotSupportedError(
                "These prompts hold one context per training class and cannot name other classes.",
                todo="Train with a shared context (class_specific: false) to use new class names.",
            )
        position = self.options.position
        return [self._tokenizer.with_context(names, self.options.n_ctx, words=self._words, position=position)]


class ProGradPrompts(ContextPrompts):
    """CoOp's context, which may start from a template, its words last, zeros before them (arXiv 2205.14865)."""

    recordable = True
    options: ProGradOptions

    def __init__(
        self, options: ProGradOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        if options.ctx_from_template:
            words = options.knowledge_template.partition("{}")[0].strip()
            count = len(clip.tokenizer.pieces(words))
            if count > options.n_ctx:
                raise ConfigError(
                    f"The words '{words}' have {count} tokens, more than the {options.n_ctx} context vectors.",
                    where="prompt.knowledge_template",
                    todo="Use a shorter template or a larger --n-ctx.",
                )
            with torch.no_grad():
                self.ctx.zero_()
                if count:
                    self.ctx[-count:] = word_vectors(clip, words, count)
