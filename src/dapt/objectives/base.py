"""The contract between an objective and the training step.

An objective declares, for an epoch, which image views and which text sets it reads and whether gradient
must flow into them. The step computes the union of what all objectives declare and no more.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

FULL, FOREGROUND, BACKGROUND = "full", "foreground", "background"
CLASSES = "classes"


@dataclass(frozen=True)
class Needs:
    """What is read: each view and text set, with whether gradient flows into it.

    Attributes:
        views: among ``full``, ``foreground``, ``background``.
        texts: among ``classes``, ``background``.
    """

    views: Mapping[str, bool] = field(default_factory=dict)
    texts: Mapping[str, bool] = field(default_factory=dict)

    def __or__(self, other: Needs) -> Needs:
        return Needs(_either(self.views, other.views), _either(self.texts, other.texts))


def _either(a: Mapping[str, bool], b: Mapping[str, bool]) -> dict[str, bool]:
    return {name: a.get(name, False) or b.get(name, False) for name in {**a, **b}}


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        pixels: ``[B, 3, H, W]`` normalised. labels: ``[B]``.
        masks: ``[B, 1, H, W]`` in 0..1, 1 = foreground, or None.
        usable: ``[B]`` bool: the image has a usable foreground cue; None: all have.
    """

    pixels: Tensor
    labels: Tensor
    masks: Tensor | None = None
    usable: Tensor | None = None


@dataclass(frozen=True)
class Outputs:
    """Unit-length features by name, and how features become logits.

    Attributes:
        image: view name to ``[B, D]``. text: text set name to ``[C, D]``.
        scale, bias: logits are ``scale * f @ t^T + bias``.
    """

    image: Mapping[str, Tensor]
    text: Mapping[str, Tensor]
    scale: Tensor
    bias: float = 0.0

    def logits(self, view: str, texts: str = CLASSES) -> Tensor:
        """Logits of a view against a text set, ``[B, C]``."""
        return self.scale * self.image[view] @ self.text[texts].t() + self.bias


@dataclass(frozen=True)
class Term:
    """One loss term: its value before weighting, and its weight."""

    value: Tensor
    weight: float


@dataclass(frozen=True)
class Trainable:
    """Which features depend on trained parameters: this decides which terms can teach anything."""

    class_texts: bool
    background_texts: bool
    image: bool


class Objective(ABC):
    """A family of loss terms."""

    @abstractmethod
    def needs(self, epoch: int, epochs: int) -> Needs:
        """What the terms of `epoch` (0-based, of `epochs`) read."""

    @abstractmethod
    def terms(self, outputs: Outputs, batch: Batch, epoch: int, epochs: int) -> dict[str, Term]:
        """The terms of `epoch` by name; every value is a mean over the batch."""


def total(terms: Mapping[str, Term]) -> Tensor:
    """The weighted sum of all terms."""
    values = [term.weight * term.value for term in terms.values()]
    result = values[0]
    for value in values[1:]:
        result = result + value
    return result
