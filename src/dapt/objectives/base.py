"""The contract between an objective and the training step: loss terms, from what the objective asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from dapt.data.batch import Batch
from dapt.model.needs import Needs, Outputs
from dapt.model.prompted_clip import PromptedClip
from dapt.objectives.gradients import GradientRule


@dataclass(frozen=True)
class Term:
    """One loss term: its value before weighting, its weight, and its group for gradient rules."""

    value: Tensor
    weight: float
    group: str = "main"


class Objective(ABC):
    """A family of loss terms.

    Attributes:
        gradient_rule: how the gradients of groups of terms become one; None: they are added up.
        helper: something the terms train beside the prompts, which is not part of the result; None: nothing.
        multi_label: the terms are right where images show several classes (`Batch.targets`).
        weighted: the terms read the weights of images (`Batch.weights`).
        extra_columns: the terms are right where background texts act as further classes (`dapt.released`).
        recordable: the terms of a stage (see `stage`) are made by the same operations in every step, so that a step can
            be recorded and played back. A class says so for itself; it is not inherited.
    """

    multi_label: ClassVar[bool] = False
    weighted: ClassVar[bool] = False
    extra_columns: ClassVar[bool] = False
    recordable: ClassVar[bool] = False
    gradient_rule: GradientRule | None = None
    helper: nn.Module | None = None

    @classmethod
    def build(cls, options: Any, model: PromptedClip) -> Objective:
        """The objective of a run.

        Args:
            options: the method's options. model: the prompted model at its start.
        """
        return cls()

    def epoch_weights(self, epochs: int) -> Sequence[float] | None:
        """Weights of an average over the parameters after each epoch, which is the result; None: the last epoch."""
        return None

    def stage(self, epoch: int, epochs: int) -> Hashable:
        """Equal for epochs whose terms are made alike, with the same weights: a recorded step serves one stage."""
        return None

    @abstractmethod
    def needs(self, epoch: int, epochs: int) -> Needs:
        """What the terms of `epoch` (0-based, of `epochs`) read."""

    @abstractmethod
    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        """The terms of `epoch` by name; every value is a mean over the batch."""


def total(terms: Mapping[str, Term]) -> Tensor:
    """The weighted sum of all terms."""
    return sum_up([term.weight * term.value for term in terms.values()])


def by_group(terms: Mapping[str, Term]) -> dict[str, Tensor]:
    """The weighted sum of each group of terms."""
    groups: dict[str, list[Tensor]] = {}
    for term in terms.values():
        groups.setdefault(term.group, []).append(term.weight * term.value)
    return {name: sum_up(values) for name, values in groups.items()}


def sum_up(values: Sequence[Tensor]) -> Tensor:
    """The sum of at least one scalar."""
    result = values[0]
    for value in values[1:]:
        result = result + value
    return result
