"""No prompts: hand-written class texts only (zero-shot CLIP)."""

from __future__ import annotations

from collections.abc import Sequence

from dapt.clip.prompts import NO_PROMPTS, Prompts
from dapt.clip.tokens import PromptTokens
from dapt.prompts.base import PromptArchitecture


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
