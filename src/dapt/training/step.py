"""One training step: the loss of a batch."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from torch import Tensor, nn

from dapt.data.batch import Batch
from dapt.model.needs import Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term, total
from dapt.objectives.criterion import needs_of, only, rule_of, terms_of
from dapt.objectives.gradients import GradientRule


class TrainStep(nn.Module):
    """Model and objectives as one module: its forward is the loss of one batch.

    Raises:
        ConfigError: several objectives have a gradient rule of their own.
    """

    def __init__(self, model: PromptedClip, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self.model = model
        self.objectives = list(objectives)
        helpers = [part.helper for part in objectives if part.helper is not None]
        self.helpers = nn.ModuleList(helpers).to(model.clip.device)
        self.gradient_rule: GradientRule | None = rule_of(self.objectives)

    def epoch_weights(self, epochs: int) -> Sequence[float] | None:
        """Weights of the average over epochs that is the result, or None.

        Raises:
            ConfigError: several objectives ask for one.
        """
        asked = [(part, part.epoch_weights(epochs)) for part in self.objectives]
        return only([(part, weights) for part, weights in asked if weights is not None], "an average over epochs")

    @property
    def recordable(self) -> bool:
        """Whether a recorded step, played back, does all that a step does: every part has to say so of itself.

        Steps on saved features are not recorded: they are few and small, and a recording would not see other features.
        """
        if self.model.prompts.saved_views is not None:
            return False
        parts = [self.model.prompts, *self.objectives]
        return all(vars(type(part)).get("recordable", False) for part in parts)

    def stage(self, epoch: int, epochs: int) -> Hashable:
        """Equal for epochs whose steps are made of the same operations."""
        return tuple(part.stage(epoch, epochs) for part in self.objectives)

    def needs(self, epoch: int, epochs: int) -> Needs:
        """Everything the objectives read in this epoch."""
        return needs_of(self.objectives, epoch, epochs)

    def forward(self, batch: Batch, epoch: int, epochs: int) -> tuple[Tensor, dict[str, Term], Outputs]:
        """Loss, its terms before weighting, and the features they were computed from.

        Raises:
            ConfigError: two objectives have a term of one name.
        """
        terms, outputs = terms_of(self.model, self.objectives, batch, epoch, epochs)
        return total(terms), terms, outputs
