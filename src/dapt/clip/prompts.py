"""`Prompts`: the plain value that prompt architectures make and the towers consume."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Prompts:
    """Learned vectors and where they go. Empty fields leave that place as the frozen model has it.

    Attributes:
        text_ctx: context vectors written over the context slots of the class texts before the positional
            embedding is added: ``[n, text width]`` shared, or ``[C, n, text width]`` one set per class.
        text_deep: one ``[n, text width]`` per text block 1, 2, ...; it replaces positions 1..n at the
            input of that block, in class texts and background texts alike.
        visual_ctx: ``[m, image width]`` appended after the patches before the pre-norm.
        visual_deep: one ``[m, image width]`` per image block 1, 2, ...; it replaces the last m tokens.
    """

    text_ctx: Tensor | None = None
    text_deep: tuple[Tensor, ...] = ()
    visual_ctx: Tensor | None = None
    visual_deep: tuple[Tensor, ...] = ()

    @property
    def class_specific(self) -> bool:
        """Whether every class has its own context."""
        return self.text_ctx is not None and self.text_ctx.dim() == 3

    def detached(self) -> Prompts:
        """The same vectors, through which no gradient flows."""
        text, visual = (None if part is None else part.detach() for part in (self.text_ctx, self.visual_ctx))
        deep = (tuple(part.detach() for part in parts) for parts in (self.text_deep, self.visual_deep))
        text_deep, visual_deep = deep
        return Prompts(text, text_deep, visual, visual_deep)


NO_PROMPTS = Prompts()
