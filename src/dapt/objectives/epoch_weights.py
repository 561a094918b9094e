"""Weights of an average over epochs."""

from __future__ import annotations

import math


def gaussian_weights(epochs: int, mean: float, std: float) -> list[float]:
    """Weights of epochs 1 to `epochs`, proportional to a normal density, adding up to 1.

    Computed relative to the greatest one, so that a mean far beyond the last epoch gives no 0 / 0.
    """
    exponents = [-((epoch - mean) ** 2) / (2 * std**2) for epoch in range(1, epochs + 1)]
    greatest = max(exponents)
    raw = [math.exp(exponent - greatest) for exponent in exponents]
    whole = sum(raw)
    return [value / whole for value in raw]
