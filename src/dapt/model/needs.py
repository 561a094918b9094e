"""What can be asked of the model in a training step, and what it answers.

An objective declares, for an epoch, which image views and which text sets it reads and whether gradient must flow into
them (`Needs`). The model computes the union of what all objectives declare and no more (`Outputs`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch.nn.functional as F
from torch import Tensor

from dapt.clip.logits import class_logits

FULL, FOREGROUND, BACKGROUND = "full", "foreground", "background"
FROZEN = "frozen"  # the full view through the untouched image tower
CLASSES = "classes"


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
        logits = class_logits(features, self.text[texts], self.scale, self.bias)
        return logits if self.adjust is None or texts != CLASSES else self.adjust(logits, features)

    def predicted(self) -> Tensor | None:
        """The class ``[B]`` of the greatest logit of the full view; None where nothing that is read asks for it."""
        if FULL not in self.image or CLASSES not in self.text:
            return None
        return self.logits(FULL).detach().argmax(dim=1)

    def margins(self, labels: Tensor) -> Tensor:
        """Probability of the true class ``[B]`` minus the greatest of another, from the full view; without gradient."""
        shares = self.logits(FULL).detach().float().softmax(dim=1)
        true = F.one_hot(labels, shares.shape[1]).bool()
        return shares[true] - shares.masked_fill(true, 0.0).amax(dim=1)

    def targets(self, labels: Tensor) -> Tensor:
        """What class logits are compared with: the labels ``[B]``, or the teacher's probabilities ``[B, C]``."""
        return labels if self.teacher is None else self.teacher.softmax(dim=1)


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
