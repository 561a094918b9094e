"""`PromptedClip`: a frozen CLIP with trainable prompts, computing exactly the features that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, unit
from dapt.clip.masked_views import encode_views, require_readers
from dapt.clip.tokens import PromptTokens
from dapt.errors import DataError
from dapt.objectives.base import (
    BACKGROUND,
    CLASSES,
    FOREGROUND,
    FULL,
    Batch,
    Needs,
    Objective,
    Outputs,
    Term,
    Trainable,
    total,
)
from dapt.prompts.base import PromptArchitecture
from dapt.prompts.value import Prompts


class PromptedClip(nn.Module):
    """A frozen backbone and one prompt architecture. Only the prompts are parameters of this module.

    Args:
        clip: the frozen model. It is not registered, so it is neither saved, moved nor trained.
        architecture: the prompts.
        names: class names of the classifier.
        background: complete background texts, empty without DAPT.
        views: how foreground and background are made, see `DaptOptions.views`.

    Raises:
        NotSupportedError: the image tower cannot make views by attention.
    """

    def __init__(
        self,
        clip: FrozenClip,
        architecture: PromptArchitecture,
        names: Sequence[str],
        background: Sequence[str] = (),
        *,
        views: str = "pixels",
    ) -> None:
        super().__init__()
        if views == "attention":
            require_readers(clip.image)
        self.views = views
        self.prompts = architecture
        self._clip = (clip,)  # in a tuple, so that torch does not register it
        self._background = clip.tokenizer.plain(background).to(clip.device) if background else None
        self._constant: dict[str, Tensor] = {}
        self.set_classes(names)

    @property
    def clip(self) -> FrozenClip:
        """The frozen model."""
        return self._clip[0]

    @property
    def architecture(self) -> PromptArchitecture:
        """The prompt architecture."""
        return self.prompts

    def set_classes(self, names: Sequence[str]) -> None:
        """Classify among `names` from now on.

        Raises:
            NotSupportedError: the prompts belong to other classes.
            DataError: no names.
        """
        if not names:
            raise DataError("There are no classes to choose from.")
        self.names = list(names)
        self._texts: list[PromptTokens] = [tokens.to(self.clip.device) for tokens in self.prompts.texts(self.names)]
        self._constant.pop(CLASSES, None)

    def trainable(self) -> Trainable:
        """Which features depend on trained parameters."""
        own = self.prompts
        return Trainable(own.trains_text, own.trains_deep_text, own.trains_visual)

    def text_features(self, prompts: Prompts, texts: str = CLASSES) -> Tensor:
        """Unit-length text features ``[C, D]`` of a text set; constant ones are computed once."""
        trained = self.prompts.trains_text if texts == CLASSES else self.prompts.trains_deep_text
        if trained or not self.clip.savings.keep_constant_texts:
            return self._encode_texts(prompts, texts)
        if texts not in self._constant:
            with torch.no_grad():
                self._constant[texts] = self._encode_texts(prompts, texts)
        return self._constant[texts]

    def _encode_texts(self, prompts: Prompts, texts: str) -> Tensor:
        if texts == BACKGROUND:
            assert self._background is not None, "no background texts were given"
            return self.clip.encode_text(self._background, prompts)
        each = [self.clip.encode_text(tokens, prompts) for tokens in self._texts]
        return each[0] if len(each) == 1 else unit(torch.stack(each).mean(dim=0))

    def image_features(self, pixels: Tensor, prompts: Prompts) -> Tensor:
        """Unit-length image features ``[B, D]`` of normalised pixels."""
        if self.prompts.trains_visual:
            return self.clip.encode_image(pixels, prompts)
        with torch.no_grad():
            return self.clip.encode_image(pixels, prompts)

    def compute(self, batch: Batch, needs: Needs) -> Outputs:
        """The features that `needs` names."""
        prompts: Prompts = self.prompts()
        needs = self._without_savings(needs)
        by_attention = self.views == "attention" and any(name != FULL for name in needs.views)
        make = self._views_by_attention if by_attention else self._views_by_pixels
        image = make(batch, needs, prompts)
        text: dict[str, Tensor] = {}
        for name, wanted in needs.texts.items():
            with torch.set_grad_enabled(wanted and torch.is_grad_enabled()):
                text[name] = self.text_features(prompts, name)
        return Outputs(image, text, self.clip.logit_scale, self.clip.logit_bias)

    def _views_by_pixels(self, batch: Batch, needs: Needs, prompts: Prompts) -> dict[str, Tensor]:
        """Unit-length features of the views, those with gradient in one pass, the others in one without.

        The pass without gradient comes first: its memory is free again when the other one fills up.
        """
        image: dict[str, Tensor] = {}
        for with_gradient in (False, True):
            names = [name for name, wanted in needs.views.items() if wanted == with_gradient]
            if not names:
                continue
            pixels = torch.cat([view_of(batch, name) for name in names])
            with torch.set_grad_enabled(with_gradient and torch.is_grad_enabled()):
                features = self.image_features(pixels, prompts if with_gradient else prompts.detached())
            image.update(zip(names, features.chunk(len(names)), strict=True))
        return image

    def _views_by_attention(self, batch: Batch, needs: Needs, prompts: Prompts) -> dict[str, Tensor]:
        """Unit-length features of the views, all from one pass (approximate, see `dapt.clip.masked_views`)."""
        with_gradient = self.prompts.trains_visual and any(needs.views.values())
        with torch.set_grad_enabled(with_gradient and torch.is_grad_enabled()):
            features = encode_views(self.clip.image, batch.pixels, _masks_of(batch), prompts)
            made = dict(zip((FULL, FOREGROUND, BACKGROUND), map(unit, features), strict=True))
        return {name: made[name] if wanted else made[name].detach() for name, wanted in needs.views.items()}

    def _without_savings(self, needs: Needs) -> Needs:
        """`needs`, with everything that switched-off savings would leave out."""
        use = self.clip.savings
        if not use.skip_unread and self._background is not None:
            needs |= Needs({FULL: False, FOREGROUND: False, BACKGROUND: False}, {CLASSES: False, BACKGROUND: False})
        if not use.detach_views:
            needs = Needs(dict.fromkeys(needs.views, True), dict.fromkeys(needs.texts, True))
        return needs

    @torch.no_grad()
    def classifier(self) -> Callable[[Tensor], Tensor]:
        """A function from pixels ``[B, 3, H, W]`` to logits ``[B, C]``; texts and prompts computed once."""
        prompts: Prompts = self.prompts()
        texts = self.text_features(prompts)

        @torch.no_grad()
        def classify(pixels: Tensor) -> Tensor:
            return self.clip.logits(self.clip.encode_image(pixels, prompts), texts)

        return classify


def view_of(batch: Batch, name: str) -> Tensor:
    """Pixels of a view. Hidden pixels become 0, which is the mean colour after normalisation."""
    if name == FULL:
        return batch.pixels
    mask = _masks_of(batch).to(batch.pixels.dtype)
    return batch.pixels * (mask if name == FOREGROUND else 1 - mask)


def _masks_of(batch: Batch) -> Tensor:
    if batch.masks is None:
        raise DataError("The objective reads foreground views, but the batch has no masks.")
    return batch.masks


class TrainStep(nn.Module):
    """Model and objectives as one module: its forward is the loss of one batch."""

    def __init__(self, model: PromptedClip, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self.model = model
        self.objectives = list(objectives)

    def needs(self, epoch: int, epochs: int) -> Needs:
        """Everything the objectives read in this epoch."""
        needs = Needs()
        for objective in self.objectives:
            needs |= objective.needs(epoch, epochs)
        return needs

    def forward(self, batch: Batch, epoch: int, epochs: int) -> tuple[Tensor, dict[str, Term], Outputs]:
        """Loss, its terms before weighting, and the features they were computed from."""
        outputs = self.model.compute(batch, self.needs(epoch, epochs))
        terms: dict[str, Term] = {}
        for objective in self.objectives:
            terms.update(objective.terms(outputs, batch, epoch, epochs))
        return total(terms), terms, outputs
