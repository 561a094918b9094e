"""CLAP's constraint: the more CLIP knows about a class already, the nearer its features stay to the zero-shot ones.

Silva-Rodriguez et al. 2024, A Closer Look at the Few-Shot Adaptation of Large Vision-Language Models, CVPR, arXiv
2312.12730. As in the released code the mean over the classes is taken, and the multipliers stay as they start.
"""

from __future__ import annotations

from dapt.data.batch import Batch
from dapt.methods.clap import ClapOptions
from dapt.model.needs import Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term
from dapt.prompts.prototypes import PrototypePrompts


class NearZeroShot(Objective):
    """``L_clap = mean_c lambda_c |P_c - T_c|^2``, see `PrototypePrompts`.

    Args:
        prompts: P, T and lambda; None: there is no constraint and no term.
    """

    recordable = True

    def __init__(self, prompts: PrototypePrompts | None) -> None:
        self.prompts = prompts

    @classmethod
    def build(cls, options: ClapOptions, model: PromptedClip) -> NearZeroShot:
        assert isinstance(model.prompts, PrototypePrompts)
        return cls(model.prompts if options.constraint else None)

    def needs(self, epoch: int, epochs: int) -> Needs:
        return Needs()

    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        return {} if self.prompts is None else {"L_clap": Term(self.prompts.penalty(), 1.0)}
