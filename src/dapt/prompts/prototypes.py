"""Class features that are trained themselves, starting from the zero-shot ones.

Silva-Rodriguez et al. 2024, A Closer Look at the Few-Shot Adaptation of Large Vision-Language Models, CVPR, arXiv
2312.12730 (ZS-LP, and CLAP with the constraint of `dapt.objectives.clap`).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dapt.clip.frozen import FrozenClip, unit
from dapt.methods.clap import ClapOptions
from dapt.prompts.base import TrainingSet
from dapt.prompts.fixed import FixedClassPrompts
from dapt.prompts.per_class import class_means


class PrototypePrompts(FixedClassPrompts):
    """`prototypes` P ``[C, D]``, not of unit length; `zero_shot` T ``[C, D]``, their start; `lambdas` ``[C]``."""

    recordable = True
    trains_context = True
    looks_first = True
    options: ClapOptions

    def __init__(
        self, options: ClapOptions, clip: FrozenClip, names: Sequence[str], generator: torch.Generator
    ) -> None:
        super().__init__(options, clip, names, generator)
        shape = (len(self.names), clip.embed_dim)
        self.prototypes = nn.Parameter(torch.zeros(shape))
        self.register_buffer("zero_shot", torch.zeros(shape))
        self.zero_shot: Tensor
        self.register_buffer("lambdas", torch.zeros(len(self.names)))
        self.lambdas: Tensor

    @torch.no_grad()
    def prepare(self, seen: TrainingSet) -> None:
        clip = seen.clip
        each = [clip.text.encode(tokens.to(clip.device)).float() for tokens in self.texts(self.names)]
        self.zero_shot.copy_(torch.stack(each).mean(dim=0))
        self.prototypes.copy_(self.zero_shot)
        if self.options.constraint:
            logits = clip.logits(unit(seen.features(0)), unit(self.zero_shot))
            self.lambdas.copy_(own_class_probability(logits, seen.labels.to(logits.device)))

    def class_features(self, names: Sequence[str]) -> Tensor:
        return unit(self.prototypes)

    def penalty(self) -> Tensor:
        """``mean_c lambda_c |P_c - T_c|^2``."""
        return (self.lambdas * (self.prototypes - self.zero_shot).square().sum(dim=1)).mean()


def own_class_probability(logits: Tensor, labels: Tensor) -> Tensor:
    """Of each class ``[C]`` its mean probability over its own images; 0 for a class without any.

    Args:
        logits: ``[N, C]``. labels: ``[N]``.
    """
    own = logits.softmax(dim=1).gather(1, labels[:, None]).squeeze(1)
    return class_means(own, labels, logits.shape[1])
