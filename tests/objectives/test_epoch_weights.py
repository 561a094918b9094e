"""Weights of epochs: a normal density, adding up to 1, wherever its mean lies."""

from __future__ import annotations

import math

import pytest

from dapt.objectives.epoch_weights import gaussian_weights


def test_by_hand() -> None:
    """Epochs 1, 2, 3 around 2 with width 1: exp(-1/2), 1, exp(-1/2)."""
    side = math.exp(-0.5)
    assert gaussian_weights(3, 2, 1) == pytest.approx(
        [side / (1 + 2 * side), 1 / (1 + 2 * side), side / (1 + 2 * side)]
    )
    assert gaussian_weights(1, 30, 5) == [1]


@pytest.mark.parametrize(("epochs", "mean", "std"), [(50, 45.0, 5.0), (20, 6.0, 10.0), (7, -3.0, 0.5), (5, 2.0, 1e-3)])
def test_they_are_shares_and_the_nearest_epoch_has_the_greatest(epochs: int, mean: float, std: float) -> None:
    weights = gaussian_weights(epochs, mean, std)
    assert len(weights) == epochs
    assert sum(weights) == pytest.approx(1)
    nearest = min(range(1, epochs + 1), key=lambda epoch: abs(epoch - mean))
    assert weights.index(max(weights)) == nearest - 1
    for first, second in ((1, 2), (2, 5)):  # ratios of the density, where they are numbers
        if second <= epochs and weights[first - 1] > 1e-200 and weights[second - 1] > 1e-200:
            expected = ((second - mean) ** 2 - (first - mean) ** 2) / (2 * std**2)
            assert math.log(weights[first - 1] / weights[second - 1]) == pytest.approx(expected)


def test_a_mean_that_is_never_reached_is_the_last_epoch() -> None:
    assert gaussian_weights(3, 1e6, 1.0) == [0, 0, 1]
