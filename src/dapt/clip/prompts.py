"""`Prompts`: the plain value that prompt architectures make and the towers consume."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from dapt.errors import NotSupportedError


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
        projected: the image tower ends with its own projection into the joint space; without it, the features are
            those before that projection, see `dapt.clip.projection`.

    Raises:
        NotSupportedError: deep visual prompts without as many input prompts, whose places they take, or deep text
            prompts of unequal numbers.
    """

    text_ctx: Tensor | None = None
    text_deep: tuple[Tensor, ...] = ()
    visual_ctx: Tensor | None = None
    visual_deep: tuple[Tensor, ...] = ()
    projected: bool = True

    def __post_init__(self) -> None:
        there = 0 if self.visual_ctx is None else self.visual_ctx.shape[-2]
        deep = [part.shape[-2] for part in self.visual_deep]
        if any(count != there for count in deep):
            raise NotSupportedError(
                f"Deep visual prompts take the places of those at the input, so they must be as many: at the input "
                f"there are {there}, at the blocks after it {_listed(deep)}.",
                todo="Give visual_ctx and every part of visual_deep as many vectors.",
            )
        deep = [part.shape[-2] for part in self.text_deep]
        if len(set(deep)) > 1:
            raise NotSupportedError(
                f"Deep text prompts take the same places at every block, so they must be as many at each: there are "
                f"{_listed(deep)}.",
                todo="Give every part of text_deep as many vectors.",
            )

    @property
    def class_specific(self) -> bool:
        """Whether every class has its own context."""
        return self.text_ctx is not None and self.text_ctx.dim() == 3

    def detached(self) -> Prompts:
        """The same vectors, through which no gradient flows."""
        text, visual = (None if part is None else part.detach() for part in (self.text_ctx, self.visual_ctx))
        deep = (tuple(part.detach() for part in parts) for parts in (self.text_deep, self.visual_deep))
        text_deep, visual_deep = deep
        return Prompts(text, text_deep, visual, visual_deep, self.projected)


def _listed(counts: Sequence[int]) -> str:
    return ", ".join(map(str, counts))


NO_PROMPTS = Prompts()
