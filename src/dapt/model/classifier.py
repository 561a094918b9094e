"""A prompted model ready to classify."""

from __future__ import annotations

import torch
from torch import Tensor

from dapt.clip.logits import Line, line_logits
from dapt.clip.prompts import Prompts
from dapt.finite import require_finite, require_ranked
from dapt.model.prompted_clip import PromptedClip


class Classifier:
    """A prompted model in evaluation mode, its prompts and class texts computed once.

    Args:
        model: the model. texts: other texts ``[rows, D]`` to choose from instead of its classes.

    Attributes:
        model, prompts: what it was made from.
    """

    def __init__(self, model: PromptedClip, texts: Tensor | None = None) -> None:
        model.eval()
        self.model = model
        self._fixed = texts is not None
        self._conditional = model.prompts.conditional and texts is None
        with torch.inference_mode(False), torch.no_grad():  # what is kept may be explained later, with gradient
            self.prompts: Prompts = model.prompts().detached()
            self._texts = texts
            self._line: Line | None = None
            if texts is None and not self._conditional:
                self._texts = model.text_features(self.prompts).detach()
                self._line = model.line_of(self._texts)

    def features(self, pixels: Tensor) -> Tensor:
        """Image features ``[B, D]`` of normalised pixels ``[B, 3, H, W]``.

        Raises:
            DaptError: they are not finite.
        """
        return self.finished(self.tower(pixels))

    def tower(self, pixels: Tensor) -> Tensor:
        """What the image tower makes of normalised pixels ``[B, 3, H, W]``, before `finished`: ``[B, width]``."""
        return self.model.clip.image.encode(pixels, self.prompts)

    def finished(self, raw: Tensor) -> Tensor:
        """Image features ``[B, D]`` of what the image tower has made.

        Raises:
            DaptError: they are not finite.
        """
        return require_finite(self.model.finish_image(raw), "image features")

    def logits(self, features: Tensor) -> Tensor:
        """Logits ``[B, C]`` of image features; a gradient goes to the features, not through texts made from them.

        Raises:
            DaptError: they are not finite.
        """
        clip = self.model.clip
        texts = self._texts
        if texts is None:
            with torch.no_grad():
                texts = self.model.texts_for(self.prompts, features.detach())
        logits = clip.logits(features, texts) if self._line is None else line_logits(features, self._line)
        if self._fixed:
            return require_ranked(logits)
        return require_ranked(self.model.asked(self.model.prompts.adjust_logits(logits, features)))

    @torch.no_grad()
    def __call__(self, pixels: Tensor) -> Tensor:
        """Logits ``[B, C]`` of normalised pixels ``[B, 3, H, W]``."""
        return self.logits(self.features(pixels))
