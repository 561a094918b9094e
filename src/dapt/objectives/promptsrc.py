"""PromptSRC: prompts that regulate themselves by what the frozen model says.

Khattak et al. 2023, Self-regulating Prompts: Foundational Model Adaptation without Forgetting, ICCV, arXiv
2307.06948. Three constraints: prompted features and predictions stay near those of the frozen model, the frozen
texts are an average over many templates, and the result is a Gaussian average of the prompts over the epochs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor

from dapt.console import warn
from dapt.data.batch import Batch
from dapt.methods.promptsrc import PromptSrcOptions
from dapt.model.needs import CLASSES, FROZEN, FULL, Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.objectives.epoch_weights import gaussian_weights
from dapt.objectives.reference import mean_divergence, template_features, zero_shot_logits


class SelfConsistency(Objective):
    """``L_scl_text``, ``L_scl_image`` (mean absolute differences) and ``L_scl_logits`` (a divergence).

    As in the released code the divergence is summed over all entries and divided by their number, B * C, so it
    weighs little with many classes.

    Args:
        options: weights, and mean and width of the average over epochs.
        reference: ``[C, D]`` frozen class features, see `template_features`.
    """

    recordable = True

    def __init__(self, options: PromptSrcOptions, reference: Tensor) -> None:
        self.options = options
        self.reference = reference
        self._warned = False

    @classmethod
    def build(cls, options: PromptSrcOptions, model: PromptedClip) -> SelfConsistency:
        return cls(options, template_features(model.clip, options.templates, model.names, unit_first=False))

    def epoch_weights(self, epochs: int) -> Sequence[float] | None:
        options = self.options
        if options.gpa_mean is None or not epochs:
            return None
        if options.gpa_mean > epochs and not self._warned:
            self._warned = True
            warn(
                f"The prompts are averaged around epoch {options.gpa_mean:g} of {epochs}: the last epochs count alone. "
                "Set prompt.gpa_mean and prompt.gpa_std to fit --epochs."
            )
        return gaussian_weights(epochs, options.gpa_mean, options.gpa_std)

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({FULL: True, FROZEN: False}, {CLASSES: True})

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        options = self.options
        divergence = mean_divergence(outputs.logits(FULL), zero_shot_logits(outputs, self.reference))
        return {
            "L_scl_text": Term(F.l1_loss(outputs.text[CLASSES], self.reference), options.text_weight),
            "L_scl_image": Term(F.l1_loss(outputs.image[FULL], outputs.image[FROZEN]), options.image_weight),
            "L_scl_logits": Term(divergence, options.logit_weight),
        }
