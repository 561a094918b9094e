"""What methods that learn about the training classes alone have in common: no prompts, and no other class names."""

from __future__ import annotations

from collections.abc import Sequence

from dapt.clip.tokens import PromptTokens
from dapt.errors import NotSupportedError
from dapt.prompts.untrained import UntrainedPrompts


class FixedClassPrompts(UntrainedPrompts):
    """No prompts; what is learned acts on features and is bound to the training classes, in their order."""

    fixed_classes = True

    def texts(self, names: Sequence[str]) -> list[PromptTokens]:
        self._check_names(names)
        return super().texts(names)

    def _check_names(self, names: Sequence[str]) -> None:
        if list(names) != self.names:
            raise NotSupportedError(
                "What this method has learned belongs to its training classes and cannot name other classes.",
                todo="Use a method with a shared context, such as coop or maple, to use new class names.",
            )
