"""A weighted average of the trained tensors over epochs.

Only what is trained is averaged: the published code averages the whole model, frozen half-precision weights and
integer buffers included, which adds rounding and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor


class EpochAverage:
    """Adds up ``weight * parameters`` epoch by epoch.

    Args:
        weights: one per epoch.

    Attributes:
        sums: what has been added up, by parameter name; empty before the first epoch.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        self.weights = list(weights)
        self.sums: dict[str, Tensor] = {}

    @torch.no_grad()
    def add(self, epoch: int, parameters: Mapping[str, Tensor]) -> None:
        """Add the parameters after `epoch` (0-based)."""
        for name, value in parameters.items():
            weighted = self.weights[epoch] * value.detach().cpu()
            self.sums[name] = self.sums[name] + weighted if name in self.sums else weighted
