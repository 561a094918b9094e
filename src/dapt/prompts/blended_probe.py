"""LP++: a linear probe into which the class texts are blended.

Huang et al. 2024, LP++: A Surprisingly Strong Linear Probe for Few-Shot CLIP, CVPR, arXiv 2404.02285. The rates of its
block coordinate descent follow from the training features, so there is nothing to choose. As in the released code the
gradient of the blending weights is never cleared: each tenth step takes the sum of all since the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, unit
from dapt.clip.logits import Line, line_logits
from dapt.console import progress, say
from dapt.errors import DataError
from dapt.methods.lp_plus import LpPlusOptions
from dapt.prompts.base import TrainingSet, seeded
from dapt.prompts.fixed import FixedClassPrompts
from dapt.prompts.per_class import class_means

MOMENTUM = 0.9
EVERY = 10  # steps between those of alpha
START = 250.0  # alpha starts at so many times the similarity of images to their own class text


@dataclass(frozen=True)
class Probe:
    """`weight` V ``[C, D]``, `bias` ``[C]`` and `alpha` ``[C]`` of LP++."""

    weight: Tensor
    bias: Tensor
    alpha: Tensor

    def line(self, texts: Tensor) -> Line:
        """The probe with the class texts ``[C, D]`` blended in: ``V + alpha t`` and b."""
        return self.weight + self.alpha[:, None] * texts, self.bias

    def logits(self, features: Tensor, texts: Tensor) -> Tensor:
        """``[B, C]`` of unit-length features ``[B, D]`` and class texts ``[C, D]``."""
        return line_logits(features, self.line(texts))


@dataclass(frozen=True)
class Fitting:
    """The training images of LP++ and the rates that follow from them.

    Attributes:
        features: ``[n, D]`` of unit length. labels: ``[n]``. texts: ``[C, D]``.
        rate: of weight and bias. alpha_rate: of alpha.
    """

    features: Tensor
    labels: Tensor
    texts: Tensor
    rate: float
    alpha_rate: float

    @classmethod
    def of(cls, features: Tensor, labels: Tensor, texts: Tensor) -> Fitting:
        """With the rates ``4n / eig_max(X^T X)`` and ``n / (4 max_c sum_i (x_i t_c)^2)``."""
        count = len(features)
        largest = torch.linalg.eigvalsh((features.t() @ features).cpu().double())[-1]
        similar = (features @ texts.t()).square().sum(dim=0).max()
        return cls(features, labels, texts, float(4 * count / largest), float(count / (4 * similar)))

    def start(self, bias: Tensor) -> Probe:
        """Weights that are the sums of the features of each class, and one alpha for all."""
        classes = len(self.texts)
        weight = self.features.new_zeros(classes, self.features.shape[1]).index_add(0, self.labels, self.features)
        own = (self.features * self.texts[self.labels]).sum(dim=1)
        seen = torch.bincount(self.labels, minlength=classes) > 0
        alpha = START * class_means(own, self.labels, classes)[seen].mean()
        return Probe(weight, bias, alpha.expand(classes).clone())

    def loss(self, probe: Probe) -> Tensor:
        """Mean cross-entropy."""
        return F.cross_entropy(probe.logits(self.features, self.texts), self.labels)


@dataclass(frozen=True)
class State:
    """A probe in the middle of its descent: its momenta, and the gradient of alpha summed up."""

    probe: Probe
    weight_momentum: Tensor | None = None
    bias_momentum: Tensor | None = None
    alpha_gradient: Tensor | None = None
    steps: int = 0

    def stepped(self, fitting: Fitting) -> State:
        """After one more step."""
        with torch.enable_grad():
            parts = [part.detach().requires_grad_() for part in (self.probe.weight, self.probe.bias, self.probe.alpha)]
            gradients = torch.autograd.grad(fitting.loss(Probe(*parts)), parts)
        weight, bias, alpha = (part.detach() for part in parts)
        by_weight = _with_momentum(self.weight_momentum, gradients[0])
        by_bias = _with_momentum(self.bias_momentum, gradients[1])
        summed = gradients[2] if self.alpha_gradient is None else self.alpha_gradient + gradients[2]
        number = self.steps + 1
        if number % EVERY == 0:
            alpha = alpha - fitting.alpha_rate * summed
        moved = Probe(weight - fitting.rate * by_weight, bias - fitting.rate * by_bias, alpha)
        return replace(
            self, probe=moved, weight_momentum=by_weight, bias_momentum=by_bias, alpha_gradient=summed, steps=number
        )


def _with_momentum(before: Tensor | None, gradient: Tensor) -> Tensor:
    return gradient if before is None else MOMENTUM * before + gradient


class BlendedProbePrompts(FixedClassPrompts):
    """`weight` ``[C, D]``, `bias` ``[C]`` and `alpha` ``[C]`` beside the class texts, fitted before training."""

    looks_first = True
    options: LpPlusOptions

    def __init__(
        self, options: LpPlusOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        classes, width = len(self.names), clip.embed_dim
        with seeded(generator):
            bias = nn.Linear(width, classes).bias.detach().clone()
        self.weight = nn.Parameter(torch.zeros(classes, width))
        self.bias = nn.Parameter(bias)
        self.alpha = nn.Parameter(torch.zeros(classes))

    @torch.no_grad()
    def prepare(self, seen: TrainingSet) -> None:
        if not len(seen.labels):
            raise DataError("LP++ is fitted to the training images, and there are none.")
        texts = seen.class_features().float()
        features = unit(seen.features(0)).to(texts.device)
        fitting = Fitting.of(features, seen.labels.to(texts.device), texts)
        found = self._descended(fitting, seen)
        for name in ("weight", "bias", "alpha"):
            getattr(self, name).copy_(getattr(found, name))

    def _descended(self, fitting: Fitting, seen: TrainingSet) -> Probe:
        """The probe after the step with the best accuracy on the validation images, the latest of several."""
        state = State(fitting.start(self.bias.to(fitting.texts)))
        judged, labels = len(seen.val_labels), seen.val_labels.to(fitting.texts.device)
        val = unit(seen.val_features()) if judged else None
        best, right, number = state.probe, -1, 0
        for _ in progress(range(self.options.steps), self.options.steps, "LP++", "steps"):
            state = state.stepped(fitting)
            if val is None:
                continue
            now = int(state.probe.logits(val, fitting.texts).argmax(dim=1).eq(labels).sum())
            if now >= right:
                best, right, number = state.probe, now, state.steps
        if val is None:
            say(f"the last of {self.options.steps} steps, as there are no validation images to choose one by")
            return state.probe
        accuracy = 100 * right / judged
        say(f"step {number} of {self.options.steps} by {judged} validation images (accuracy {accuracy:.1f}%)")
        return best

    def logit_line(self, names: Sequence[str], texts: Tensor, scale: Tensor) -> Line | None:
        return Probe(self.weight, self.bias, self.alpha).line(texts)
