"""No prompts: hand-written class texts only (zero-shot CLIP)."""

from __future__ import annotations

from collections.abc import Sequence

from dapt.clip.tokens import PromptTokens
from dapt.prompts.base import PromptArchitecture
from dapt.prompts.value import NO_PROMPTS, Prompts


class UntrainedPrompts(PromptArchitecture):
    """Zero-shot CLIP: one or more templates per class, nothing trained."""

    def forward(self) -> Prompts:
        return NO_PROMPTS

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        clean = [name.replace("_", " ") for name in names]
        return [
            self._tokenizer.plain([template.replace("{}", name) for name in clean])
            for template in self.options.templates
        ]
