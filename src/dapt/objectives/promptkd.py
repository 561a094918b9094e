"""PromptKD's distillation: the student predicts what the teacher predicts, without labels.

Li et al. 2024, PromptKD: Unsupervised Prompt Distillation for Vision-Language Models, CVPR, arXiv 2403.02781.
"""

from __future__ import annotations

from dapt.data.batch import Batch
from dapt.methods.promptkd import PromptKdOptions
from dapt.model.needs import CLASSES, FULL, Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.objectives.reference import mean_divergence


class Distillation(Objective):
    """``L_kd = T^2 / (B C) * sum KL(teacher || student)`` of class probabilities at temperature T.

    Args:
        temperature: T. weight: of the term.
    """

    recordable = True

    def __init__(self, temperature: float, weight: float) -> None:
        self.temperature = temperature
        self.weight = weight

    @classmethod
    def build(cls, options: PromptKdOptions, model: PromptedClip) -> Distillation:
        return cls(options.temperature, options.kd_weight)

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({FULL: True}, {CLASSES: True}, teacher=True)

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        assert outputs.teacher is not None, "the method has no teacher"
        divergence = mean_divergence(outputs.logits(FULL) / self.temperature, outputs.teacher / self.temperature)
        return {"L_kd": Term(self.temperature**2 * divergence, self.weight)}
