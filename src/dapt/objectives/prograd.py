"""ProGrad: learn nothing that contradicts what CLIP knows.

Zhu et al. 2023, Prompt-aligned Gradient for Prompt Tuning, ICCV, arXiv 2205.14865. The general direction is the
gradient of a cross-entropy to the zero-shot prediction; it only ever takes away from the other gradients
(`dapt.objectives.gradients.ProjectAway`).
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from dapt.data.batch import Batch
from dapt.methods.prograd import ProGradOptions
from dapt.model.needs import CLASSES, FROZEN, FULL, Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.objectives.gradients import ProjectAway
from dapt.objectives.reference import template_features, zero_shot_logits

GENERAL = "general"


class ZeroShotKnowledge(Objective):
    """``L_kl = T^2 mean_b sum_c -p_c log q_c``: p zero-shot, q prompted, both at temperature T.

    Args:
        reference: ``[C, D]`` zero-shot class features. temperature: T. strength: lambda of the gradient rule.
    """

    recordable = True

    def __init__(self, reference: Tensor, temperature: float, strength: float) -> None:
        self.reference = reference
        self.temperature = temperature
        self.gradient_rule = ProjectAway(GENERAL, strength)

    @classmethod
    def build(cls, options: ProGradOptions, model: PromptedClip) -> ZeroShotKnowledge:
        reference = template_features(model.clip, [options.knowledge_template], model.names)
        return cls(reference, options.temperature, options.strength)

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({FULL: True, FROZEN: False}, {CLASSES: True})

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        known = (zero_shot_logits(outputs, self.reference) / self.temperature).softmax(dim=1)
        value = self.temperature**2 * F.cross_entropy(outputs.logits(FULL) / self.temperature, known)
        return {"L_kl": Term(value, 1.0, GENERAL)}
