"""What a selector is given and what it returns.

Data-efficient learning as in DAPT's experiments (arXiv 2508.00395), which use DeepCore's methods (Guo et al. 2022,
arXiv 2204.08499). Each method here is the algorithm of its paper; where the released code does otherwise (direction of
a score, raw logits for probabilities), ``legacy`` repeats it, for comparison only.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from dapt.errors import DataError
from dapt.registry import Registry
from dapt.selection.gradients import GradientFactors
from dapt.strict import PartOptions


@dataclass(frozen=True)
class Candidates:
    """The images to choose from, as the untrained model sees them under the test transform.

    Attributes:
        labels: ``[N]``. features: ``[N, D]`` unit-length image features. logits: ``[N, C]``.
        texts: ``[C, D]`` class features. val: the validation images alike, or None.
        forgotten: ``[N]`` how often each image turned from right to wrong in training, or None.
        seed: of everything that is drawn.
    """

    labels: Tensor
    features: Tensor
    logits: Tensor
    texts: Tensor
    val: Candidates | None = None
    forgotten: Tensor | None = None
    seed: int = 1

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def probabilities(self) -> Tensor:
        """``[N, C]`` in float32."""
        return self.logits.float().softmax(dim=1)

    def gradients(self) -> GradientFactors:
        """Gradients of each image's own loss with respect to a linear classifier, in factored form."""
        return GradientFactors.of(self.logits, self.features, self.labels)

    def rows(self, index: Tensor) -> Candidates:
        """The candidates at `index`; validation images stay whole."""
        forgotten = None if self.forgotten is None else self.forgotten[index]
        return replace(
            self,
            labels=self.labels[index],
            features=self.features[index],
            logits=self.logits[index],
            forgotten=forgotten,
        )


@dataclass(frozen=True)
class Selection:
    """What was chosen.

    Attributes:
        index: positions among the candidates, in the order in which they were chosen (class by class with class
            budgets). weights: what each counts in the loss, or None: all the same.
    """

    index: tuple[int, ...]
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Pick:
    """The choice within one group: positions in the group, in order, and their weights or None."""

    index: Sequence[int]
    weights: Sequence[float] | None = None


class Selector(ABC):
    """A selection method.

    Args:
        options: of its own type; None: their defaults. legacy: repeat the released code where it differs.

    Attributes:
        options_type: the type of its options (``selection.options.*`` in YAML).
        looks: it reads more than labels. needs_val: it reads validation images.
        needs_training: it reads counts of a training beforehand.
    """

    options_type: ClassVar[type[PartOptions]] = PartOptions
    looks: ClassVar[bool] = True
    needs_val: ClassVar[bool] = False
    needs_training: ClassVar[bool] = False

    def __init__(self, options: PartOptions | None = None, *, legacy: bool = False) -> None:
        self.options = self.options_type() if options is None else options
        self.legacy = legacy

    @abstractmethod
    def pick(self, part: Candidates, count: int) -> Pick:
        """The best `count` of a group: one class, or all images with a global budget. ``0 <= count <= len(part)``."""

    def select(self, candidates: Candidates, fraction: float, *, balanced: bool = True) -> Selection:
        """Choose a fraction of the images.

        Args:
            fraction: of each class, or with ``balanced=False`` of all images; numbers are rounded to the nearest,
                halves to even, as in the released code.

        Raises:
            DataError: a fraction outside 0..1, or nothing would be left.
        """
        if not 0 <= fraction <= 1:
            raise DataError(f"The fraction {fraction:g} is not between 0 and 1.")
        groups = class_groups(candidates.labels) if balanced else [torch.arange(len(candidates))]
        index: list[int] = []
        weights: list[float] = []
        for group in groups:
            count = round(fraction * len(group))
            if not count:
                continue
            found = self.pick(candidates.rows(group), count)
            _check_pick(self, found, count, len(group))
            index += group[torch.as_tensor(list(found.index), dtype=torch.long)].tolist()
            weights += [] if found.weights is None else list(found.weights)
        if not index:
            raise DataError(
                f"A fraction of {fraction:g} leaves no image of the {len(candidates)} there are.",
                todo="Use a larger fraction, or a global budget.",
            )
        return Selection(tuple(index), tuple(weights) if weights else None)


def _check_pick(selector: Selector, found: Pick, count: int, size: int) -> None:
    """Refuse a choice that is none: a selector of somebody's own may make mistakes.

    Raises:
        DataError: naming the selector.
    """
    name = type(selector).__name__
    if not isinstance(found, Pick):
        raise DataError(f"The selector {name} gave a {type(found).__name__}, not a Pick.")
    index = [int(position) for position in found.index]
    if len(set(index)) < len(index):
        raise DataError(f"The selector {name} chose an image twice.")
    if len(index) > count or any(not 0 <= position < size for position in index):
        raise DataError(f"The selector {name} chose {len(index)} of {size} images where {count} were asked for.")
    if found.weights is not None and len(found.weights) != len(index):
        raise DataError(f"The selector {name} gave {len(found.weights)} weights to {len(index)} images.")


def class_groups(labels: Tensor) -> list[Tensor]:
    """Positions of the images of each class that has any, by rising label."""
    return [(labels == label).nonzero().flatten() for label in sorted(set(labels.tolist()))]


def top(scores: Tensor, count: int, *, largest: bool) -> list[int]:
    """Positions of the `count` best scores; equal scores keep their order, whatever the sorting library."""
    return torch.argsort(scores.double(), descending=largest, stable=True)[:count].tolist()


SELECTORS: Registry[type[Selector]] = Registry("selector", "dapt.selection")
