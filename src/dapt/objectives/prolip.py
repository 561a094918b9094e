"""ProLIP's constraint: the projection stays near the one that was learned from all of the pictures of CLIP.

Fahes et al. 2024, CLIP's Visual Embedding Projector is a Few-shot Cornucopia, arXiv 2410.05270. The sum over the
entries of the matrix is taken, not their mean.
"""

from __future__ import annotations

from dapt.data.batch import Batch
from dapt.methods.prolip import ProlipOptions
from dapt.model.needs import Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.prompts.projection import ProjectionPrompts


class NearStart(Objective):
    """``L_anchor = lambda |W - W0|^2``, see `ProjectionPrompts`.

    Args:
        prompts: W, W0 and lambda.
    """

    recordable = True

    def __init__(self, prompts: ProjectionPrompts) -> None:
        self.prompts = prompts

    @classmethod
    def build(cls, options: ProlipOptions, model: PromptedClip) -> NearStart:
        assert isinstance(model.prompts, ProjectionPrompts)
        return cls(model.prompts)

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs()

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        return {"L_anchor": Term(self.prompts.penalty(), 1.0)}
