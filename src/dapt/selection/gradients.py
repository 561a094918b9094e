"""Gradients of a linear classifier in factored form.

The cosine classifier is taken as a linear layer with bias. The gradient of one image's cross-entropy is then
``(d, d f^T)`` with ``d = p - one_hot(y)`` and the image feature ``f``: ``C + C D`` numbers, of which only inner
products are ever needed, ``<g_i, g_j> = (d_i . d_j)(1 + f_i . f_j)``. So the ``N x (C + C D)`` matrix is never made.
In float64, because distances of near gradients are differences of large numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class GradientFactors:
    """``errors`` d ``[N, C]`` and ``features`` f ``[N, D]``."""

    errors: Tensor
    features: Tensor

    @classmethod
    def of(cls, logits: Tensor, features: Tensor, labels: Tensor) -> GradientFactors:
        """Of each image's own loss: a mean over a batch would make those of the last, smaller batch larger."""
        errors = logits.double().softmax(dim=1) - F.one_hot(labels, logits.shape[1])
        return cls(errors, features.double())

    def __len__(self) -> int:
        return len(self.errors)

    def rows(self, index: Tensor | slice) -> GradientFactors:
        """Some of them."""
        return GradientFactors(self.errors[index], self.features[index])

    def products(self, other: GradientFactors) -> Tensor:
        """Inner products ``[N, M]`` with those of `other`."""
        return (self.errors @ other.errors.t()) * (1 + self.features @ other.features.t())

    def squared_norms(self) -> Tensor:
        """``|g_i|^2``, ``[N]``."""
        return self.errors.square().sum(dim=1) * (1 + self.features.square().sum(dim=1))

    def cosines(self, other: GradientFactors) -> Tensor:
        """Cosines ``[N, M]``; 0 with a gradient of zero."""
        ours, theirs = (part.squared_norms().sqrt().clamp_min(1e-12) for part in (self, other))
        return self.products(other) / ours.unsqueeze(1) / theirs

    def distances(self, other: GradientFactors) -> Tensor:
        """Euclidean distances ``[N, M]``."""
        squared = self.squared_norms().unsqueeze(1) + other.squared_norms() - 2 * self.products(other)
        return squared.clamp_min(0).sqrt()
