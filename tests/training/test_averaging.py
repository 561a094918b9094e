"""The Gaussian average over epochs."""

from __future__ import annotations

import math

import pytest
import torch

from dapt.objectives.epoch_weights import gaussian_weights
from dapt.training.averaging import EpochAverage


def test_published_weights() -> None:
    weights = gaussian_weights(20, 15, 1)
    expected = [0.0044, 0.0540, 0.2420, 0.3989, 0.2420, 0.0540, 0.0044]
    assert weights[11:18] == pytest.approx(expected, abs=5e-5)
    assert sum(weights) == pytest.approx(1.0)


def test_a_mean_far_beyond_the_last_epoch_is_the_last_epoch() -> None:
    weights = gaussian_weights(5, 1000, 1)
    assert weights[-1] == pytest.approx(1.0)
    assert all(math.isfinite(weight) for weight in weights)


def test_the_average_of_known_values() -> None:
    average = EpochAverage([0.25, 0.75])
    average.add(0, {"a": torch.tensor([1.0, 2.0])})
    average.add(1, {"a": torch.tensor([5.0, 2.0])})
    assert average.sums["a"].tolist() == [4.0, 2.0]
