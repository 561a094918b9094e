"""The coarse cue (DAPT-G): Grad-CAM of the class text on the un-augmented image.

As published it explains the logit of the class. ``cue.score=softmax`` and ``cue.refine=affinity`` are those of CLIP-ES
(Lin et al., CVPR 2023, arXiv 2212.09506): what all texts have in common cancels, and the map spreads along the
attention between patches.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from dapt.clip.taps import Taps, patch_attention, require_taps, tapped
from dapt.cues.base import CUES, CueContext
from dapt.cues.cut import CutRule
from dapt.cues.map_cue import MapCue
from dapt.cues.patches import TextOptions, refined, whole_pixels
from dapt.data.items import UNLABELLED, Item
from dapt.errors import DataError
from dapt.model.classifier import Classifier
from dapt.model.grad_cam import grad_cam, normalise_maps

if TYPE_CHECKING:
    from dapt.model.prompted_clip import PromptedClip


AS_EVER = ("threshold", "soft", "normalise", "batch_size")  # the options that masks have always said


class GradCamOptions(TextOptions):
    """Options of Grad-CAM."""

    normalise: Literal["image", "batch"] = Field(
        "image", description="Divide by the maximum of the image, or of the batch (released code)."
    )
    score: Literal["logit", "softmax"] = Field(
        "logit",
        description="What is explained: logit of the class (as published), or softmax: its probability among all "
        "classes and the background texts (CLIP-ES).",
    )

    def noted(self) -> dict[str, Any]:
        """Those that are not as published, and those that masks of earlier versions say, which are gone on with."""
        fields = type(self).model_fields
        return {
            key: value for key, value in self.model_dump().items() if key in AS_EVER or value != fields[key].default
        }


@CUES.register("gradcam")
class GradCamCue(MapCue):
    """Grad-CAM maps, normalised per image by default, cut at `cue.threshold` or kept soft.

    The whole image is resized to the model's square input, so that the map covers all of it. Unlabelled
    images, and all images of a method that learns without labels, are explained for the class the model (or its
    teacher) predicts.
    """

    options_type = GradCamOptions
    needs_model = True
    follows_prompts = True
    own_cut: ClassVar[CutRule] = "value"
    own_smooth: ClassVar[Literal["none", "guided"]] = "none"
    label = "computing Grad-CAM"

    def __init__(self, context: CueContext) -> None:
        super().__init__(context)
        assert isinstance(context.options, GradCamOptions)
        self.options = context.options

    def maps(self, items: Sequence[Item], photos: Sequence[Tensor], model: PromptedClip | None) -> Tensor:
        if model is None:
            raise DataError("The gradcam cue needs a model.")
        options, clip = self.options, model.clip
        pixels = whole_pixels(photos, model)
        classify = Classifier(model)
        labels = torch.tensor([item.label for item in items], device=clip.device)
        if model.prompts.label_free:
            labels = torch.full_like(labels, UNLABELLED)
        if (labels == UNLABELLED).any():
            with torch.no_grad():
                taught = model.prompts.teacher_logits(pixels)
            predicted = (classify(pixels) if taught is None else taught).argmax(dim=1)
            labels = torch.where(labels == UNLABELLED, predicted, labels)
        backgrounds = None
        if options.score == "softmax":
            with torch.no_grad():
                backgrounds = model.encode_text(options.texts)
        how = options.refine or "none"
        tower = require_taps(clip.image) if how == "affinity" else clip.image
        listening = tapped(tower, min(options.layers, tower.layers)) if how == "affinity" else nullcontext(Taps([]))
        with listening as taps:
            coarse = grad_cam(classify, pixels, labels, backgrounds).coarse
        with torch.no_grad(), tower.adapted(classify.prompts):
            attention = [patch_attention(block, normed) for block, normed in zip(taps.blocks, taps.normed, strict=True)]
        coarse = refined(coarse, photos, attention, options, how)
        return normalise_maps(coarse, clip.image.image_size, options.normalise)
