"""The coarse cue (DAPT-G): Grad-CAM of the class text on the un-augmented image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import torch
from pydantic import Field
from torch import Tensor

from dapt.console import progress
from dapt.cues.base import CUES, Cue, CueContext, CueReport
from dapt.data.items import UNLABELLED, Item
from dapt.data.load.transforms import whole_transform
from dapt.errors import DataError
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam, normalise_maps
from dapt.strict import Count, PartOptions

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


class GradCamOptions(PartOptions):
    """Options of Grad-CAM."""

    threshold: float = Field(0.5, ge=0, le=1, description="Share of the maximum that is foreground.")
    soft: bool = Field(False, description="Keep the map as it is instead of cutting at the threshold.")
    normalise: Literal["image", "batch"] = Field(
        "image", description="Divide by the maximum of the image, or of the batch (released code)."
    )
    batch_size: Count = Field(50, ge=1, description="Images per batch.")


@CUES.register("gradcam")
class GradCamCue(Cue):
    """Grad-CAM maps, normalised per image by default, cut at `cue.threshold` or kept soft.

    The whole image is resized to the model's square input, so that the map covers all of it. Unlabelled
    images, and all images of a method that learns without labels, are explained for the class the model (or its
    teacher) predicts.
    """

    options_type = GradCamOptions
    needs_model = True
    follows_prompts = True
    seeded = False

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, GradCamOptions)
        self.options = context.options
        self.soft = self.options.soft

    def prepare(self, items: Sequence[Item], model: PromptedClip | None) -> list[Tensor | None]:
        if model is None:
            raise DataError("The gradcam cue needs a model.")
        self.report = CueReport()
        masks: list[Tensor | None] = []
        size = self.options.batch_size
        starts = range(0, len(items), size)
        for start in progress(starts, len(starts), "computing Grad-CAM", "batches"):
            part = items[start : start + size]
            for item, mask in zip(part, self._maps(part, model), strict=True):
                masks.append(self.report.add(item.name, mask))
        return masks

    def _maps(self, items: Sequence[Item], model: PromptedClip) -> Tensor:
        options, clip = self.options, model.clip
        transform = whole_transform(clip.image.image_size, clip.preprocess)
        nothing = torch.zeros(1, 1, 1)
        pixels = torch.stack(
            [transform(image, nothing.expand(1, *image.shape[1:]))[0] for image in map(self.context.load_image, items)]
        ).to(clip.device)
        classify = Classifier(model)
        labels = torch.tensor([item.label for item in items], device=clip.device)
        if model.prompts.label_free:
            labels = torch.full_like(labels, UNLABELLED)
        if (labels == UNLABELLED).any():
            with torch.no_grad():
                taught = model.prompts.teacher_logits(pixels)
            predicted = (classify(pixels) if taught is None else taught).argmax(dim=1)
            labels = torch.where(labels == UNLABELLED, predicted, labels)
        coarse = grad_cam(classify, pixels, labels).coarse
        maps = normalise_maps(coarse, clip.image.image_size, options.normalise)
        return (maps if options.soft else (maps >= options.threshold)).cpu()
