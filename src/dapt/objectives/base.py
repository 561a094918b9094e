"""The contract between an objective and the training step.

An objective declares, for an epoch, which image views and which text sets it reads and whether gradient
must flow into them. The step computes the union of what all objectives declare and no more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor, nn

if TYPE_CHECKING:
    from dapt.training.gradients import GradientRule
    from dapt.training.model import PromptedClip

FULL, FOREGROUND, BACKGROUND = "full", "foreground", "background"
FROZEN = "frozen"  # the full view through the untouched image tower
CLASSES = "classes"

MultiLabel = Literal["softmax", "sigmoid"]


@dataclass(frozen=True)
class Needs:
    """What is read: each view and text set, with whether gradient flows into it.

    Attributes:
        views: among ``full``, ``foreground``, ``background``, ``frozen`` (full, without any prompts).
        texts: among ``classes``, ``background``.
        teacher: logits of the method's teacher on the full view.
    """

    views: Mapping[str, bool] = field(default_factory=dict)
    texts: Mapping[str, bool] = field(default_factory=dict)
    teacher: bool = False

    def __or__(self, other: Needs) -> Needs:
        return Needs(_either(self.views, other.views), _either(self.texts, other.texts), self.teacher or other.teacher)


def _either(a: Mapping[str, bool], b: Mapping[str, bool]) -> dict[str, bool]:
    return {name: a.get(name, False) or b.get(name, False) for name in {**a, **b}}


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        pixels: ``[B, 3, H, W]`` normalised. labels: ``[B]``.
        masks: ``[B, 1, H, W]`` in 0..1, 1 = foreground, or None.
        usable: ``[B]`` bool: the image has a usable foreground cue; None: all have.
        targets: ``[B, C]`` of 0 and 1: the classes an image shows, where it may show several; `labels` are then the
            first of them. None: one class each.
        weights: ``[B]`` what each image counts in the classification loss; None: 1.
        multi_label: how logits are compared with `targets`, see `dapt.objectives.classification.image_losses`.
    """

    pixels: Tensor
    labels: Tensor
    masks: Tensor | None = None
    usable: Tensor | None = None
    targets: Tensor | None = None
    weights: Tensor | None = None
    multi_label: MultiLabel = "softmax"


@dataclass(frozen=True)
class Outputs:
    """Unit-length features by name, and how features become logits.

    Attributes:
        image: view name to ``[B, D]``.
        text: text set name to ``[C, D]``, or ``[B, C, D]`` where each image has its own class texts.
        scale, bias: logits are ``scale * f @ t^T + bias``.
        adjust: what the method does to class logits afterwards, from ``[B, C]`` and the features ``[B, D]``.
        teacher: logits ``[B, C]`` of the method's teacher, which stand in for labels; None: there are labels.
    """

    image: Mapping[str, Tensor]
    text: Mapping[str, Tensor]
    scale: Tensor
    bias: float = 0.0
    adjust: Callable[[Tensor, Tensor], Tensor] | None = None
    teacher: Tensor | None = None

    def logits(self, view: str, texts: str = CLASSES) -> Tensor:
        """Logits of a view against a text set, ``[B, C]``."""
        return self.logits_of(self.image[view], texts)

    def logits_of(self, features: Tensor, texts: str = CLASSES) -> Tensor:
        """Logits of unit-length features ``[B, D]`` against a text set, ``[B, C]``."""
        logits = self.scale * similarities(features, self.text[texts]) + self.bias
        return logits if self.adjust is None or texts != CLASSES else self.adjust(logits, features)

    def targets(self, labels: Tensor) -> Tensor:
        """What class logits are compared with: the labels ``[B]``, or the teacher's probabilities ``[B, C]``."""
        return labels if self.teacher is None else self.teacher.softmax(dim=1)


def similarities(features: Tensor, texts: Tensor) -> Tensor:
    """``f @ t^T``, ``[B, C]``, of ``[B, D]`` with ``[C, D]``, or ``[B, C, D]`` where each image has its own texts."""
    if texts.dim() == 3:
        return (texts @ features.unsqueeze(2)).squeeze(2)
    return features @ texts.t()


@dataclass(frozen=True)
class Term:
    """One loss term: its value before weighting, its weight, and its group for gradient rules."""

    value: Tensor
    weight: float
    group: str = "main"


@dataclass(frozen=True)
class Trainable:
    """Which features depend on trained parameters: this decides which terms can teach anything.

    Attributes:
        logits: something trained acts on the class logits themselves (a cache of features, say).
    """

    class_texts: bool
    background_texts: bool
    image: bool
    logits: bool = False


class Objective(ABC):
    """A family of loss terms.

    Attributes:
        gradient_rule: how the gradients of groups of terms become one; None: they are added up.
        helper: something the terms train beside the prompts, which is not part of the result; None: nothing.
    """

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
