"""KgCoOp's knowledge term: learned class texts stay near the hand-written ones.

Yao et al. 2023, Visual-Language Prompt Tuning with Knowledge-guided Context Optimization, CVPR, arXiv 2303.13283.
As in the released code the distance is ``1 - cos`` (half the squared distance of unit vectors).
"""

from __future__ import annotations

import torch
from torch import Tensor

from dapt.data.batch import Batch
from dapt.methods.kgcoop import KgCoopOptions
from dapt.model.needs import CLASSES, Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.objectives.reference import template_features


class KnowledgeGuided(Objective):
    """``L_kg = 1 - mean_c cos(w_c, w0_c)`` with the frozen features ``w0`` of hand-written texts.

    Args:
        reference: ``[C, D]`` unit-length features of the hand-written texts. weight: lambda.
    """

    recordable = True

    def __init__(self, reference: Tensor, weight: float) -> None:
        self.reference = reference
        self.weight = weight

    @classmethod
    def build(cls, options: KgCoopOptions, model: PromptedClip) -> KnowledgeGuided:
        return cls(template_features(model.clip, [options.knowledge_template], model.names), options.knowledge_weight)

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs({}, {CLASSES: True})

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        likeness = torch.nn.functional.cosine_similarity(outputs.text[CLASSES], self.reference, dim=-1, eps=1e-7)
        return {"L_kg": Term(1.0 - likeness.mean(), self.weight)}
