"""One training step: the loss of a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn, TypeVar

from torch import Tensor, nn

from dapt.data.batch import Batch
from dapt.errors import ConfigError
from dapt.model.needs import Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.base import Objective, Term, total
from dapt.objectives.gradients import GradientRule

T = TypeVar("T")


class TrainStep(nn.Module):
    """Model and objectives as one module: its forward is the loss of one batch.

    Raises:
        ConfigError: several objectives have a gradient rule of their own.
    """

    def __init__(self, model: PromptedClip, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self.model = model
        self.objectives = list(objectives)
        self.helpers = nn.ModuleList([part.helper for part in objectives if part.helper is not None])
        rules = [(part, part.gradient_rule) for part in objectives if part.gradient_rule is not None]
        self.gradient_rule: GradientRule | None = _only(rules, "a gradient rule")

    def epoch_weights(self, epochs: int) -> Sequence[float] | None:
        """Weights of the average over epochs that is the result, or None.

        Raises:
            ConfigError: several objectives ask for one.
        """
        asked = [(part, part.epoch_weights(epochs)) for part in self.objectives]
        return _only([(part, weights) for part, weights in asked if weights is not None], "an average over epochs")

    def needs(self, epoch: int, epochs: int) -> Needs:
        """Everything the objectives read in this epoch."""
        needs = Needs()
        for objective in self.objectives:
            needs |= objective.needs(epoch, epochs)
        return needs

    def forward(self, batch: Batch, epoch: int, epochs: int) -> tuple[Tensor, dict[str, Term], Outputs]:
        """Loss, its terms before weighting, and the features they were computed from.

        Raises:
            ConfigError: two objectives have a term of one name.
        """
        outputs = self.model.compute(batch, self.needs(epoch, epochs))
        terms: dict[str, Term] = {}
        owner: dict[str, Objective] = {}
        for objective in self.objectives:
            for name, term in objective.terms(outputs, batch, epoch, epochs).items():
                first = owner.setdefault(name, objective)
                if first is not objective:
                    _refuse_two(first, objective, f"a loss term '{name}'")
                terms[name] = term
        return total(terms), terms, outputs


def _only(found: Sequence[tuple[Objective, T]], what: str) -> T | None:
    """What the only objective that has `what` gives, or None.

    Raises:
        ConfigError: several have it.
    """
    if len(found) > 1:
        _refuse_two(found[0][0], found[1][0], what)
    return found[0][1] if found else None


def _refuse_two(first: Objective, second: Objective, what: str) -> NoReturn:
    """Refuse two objectives of which one would silently do nothing.

    Raises:
        ConfigError: always.
    """
    raise ConfigError(
        f"Two objectives bring {what}: {type(first).__name__} and {type(second).__name__}.",
        todo="List one of them alone, or let them differ.",
    )
