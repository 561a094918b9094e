"""Bootstrap intervals and McNemar's test, against formulas and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dapt.evaluation.audit import intervals as module
from dapt.evaluation.audit.intervals import Means, mcnemar


def test_an_interval_is_that_of_a_share() -> None:
    rng = np.random.default_rng(0)
    right = (rng.random(400) < 0.7).astype(float)
    means = Means(400, 1)
    means.add(right, np.ones(400, dtype=bool))
    (found,) = means.intervals()
    spread = 100 * math.sqrt(right.mean() * (1 - right.mean()) / 400)
    assert found["images"] == 400
    assert found["value"] == pytest.approx(100 * right.mean())
    assert found["low"] == pytest.approx(found["value"] - 1.96 * spread, abs=0.6)
    assert found["high"] == pytest.approx(found["value"] + 1.96 * spread, abs=0.6)


def test_some_images_only() -> None:
    values = np.array([1.0, 0.0, 1.0, 1.0])
    means = Means(4, 1)
    means.add(values, np.array([True, True, False, False]))
    means.add(values, np.zeros(4, dtype=bool))
    means.add(values, np.array([False, False, True, True]))
    half, none, all_right = means.intervals()
    assert (half["value"], half["images"]) == (50.0, 2)
    assert (half["low"], half["high"]) == (0.0, 100.0)
    assert none == {"value": None, "low": None, "high": None, "images": 0}
    assert (all_right["low"], all_right["high"]) == (100.0, 100.0)


def test_figures_share_their_resamples() -> None:
    """The difference of two models that differ in one image of ten is never negative."""
    one = np.array([1.0] * 5 + [0.0] * 5)
    two = np.array([1.0] * 6 + [0.0] * 4)
    means = Means(10, 3)
    everywhere = np.ones(10, dtype=bool)
    means.add(two - one, everywhere)
    (found,) = means.intervals()
    assert found["value"] == pytest.approx(10.0)
    assert found["low"] == 0.0
    assert found["high"] <= 40.0


def test_blocks_change_only_the_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    right = (np.arange(60) % 3 == 0).astype(float)
    means = Means(60, 1)
    means.add(right, np.ones(60, dtype=bool))
    whole = means.intervals()
    assert means.intervals() == whole, "the seed decides"
    monkeypatch.setattr(module, "AT_ONCE", 1)
    (parts,) = means.intervals(500)
    assert parts["low"] == pytest.approx(whole[0]["low"], abs=3)
    assert parts["high"] == pytest.approx(whole[0]["high"], abs=3)


def test_nothing_to_tell() -> None:
    assert Means(5, 1).intervals() == []


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [(0, 0, 1.0), (1, 1, 1.0), (0, 5, 2 / 32), (5, 0, 2 / 32), (2, 8, 112 / 1024), (5, 6, 1.0), (0, 1, 1.0)],
)
def test_mcnemar_by_hand(only_first: int, only_second: int, p: float) -> None:
    assert mcnemar(only_first, only_second) == pytest.approx(p)


def test_mcnemar_of_many() -> None:
    assert mcnemar(5000, 5000) == 1.0
    assert 0 < mcnemar(4000, 5000) < 1e-20
    assert mcnemar(4950, 5050) == pytest.approx(0.322, abs=0.01)
