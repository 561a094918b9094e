"""Backgrounds: pictures of one size and range, decided by their seed; and the tools they are painted with."""

from __future__ import annotations

import numpy as np
import pytest

from dapt.demo.drawing.backgrounds import BACKGROUNDS, blend, fractal, noise, ramp, vary


@pytest.mark.parametrize("name", list(BACKGROUNDS))
def test_each_is_a_picture_that_its_seed_decides(name: str) -> None:
    paint = BACKGROUNDS[name]
    one, again, other = (paint(32, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.shape == (32, 32, 3)
    assert np.isfinite(one).all()
    assert one.min() > -0.5  # about 0..1: scenes clip what is beyond
    assert one.max() < 1.8
    assert np.array_equal(one, again)
    assert not np.allclose(one, other, atol=0.01)


def test_colours_tell_them_apart() -> None:
    def mean(name: str) -> np.ndarray:
        return np.mean(
            [BACKGROUNDS[name](32, np.random.default_rng(seed)).mean(axis=(0, 1)) for seed in range(5)], axis=0
        )

    grass, sky, sand, snow = (mean(name) for name in ("grass", "sky", "sand", "snow"))
    assert grass.argmax() == 1
    assert sky.argmax() == 2
    assert sand[0] > sand[1] > sand[2]
    assert snow.min() > 0.7


@pytest.mark.parametrize("cells", [0.1, 2, 7.6, 32])
def test_noise_is_within_its_range(cells: float) -> None:
    found = noise(32, np.random.default_rng(0), cells)
    assert found.shape == (32, 32)
    assert 0 <= found.min() < found.max() <= 1
    layered = fractal(32, np.random.default_rng(0), cells, octaves=4)
    assert 0 <= layered.min() < layered.max() <= 1


def test_stretched_noise_varies_less_across() -> None:
    found = noise(64, np.random.default_rng(0), 16, 8.0)
    assert np.abs(np.diff(found, axis=1)).mean() < 0.5 * np.abs(np.diff(found, axis=0)).mean()


def test_ramp_and_blend_by_hand() -> None:
    picture = ramp(3, (0.0, 0.2, 1.0), (1.0, 0.2, 0.0))
    assert picture.shape == (3, 3, 3)
    assert np.allclose(picture[:, 1], [[0, 0.2, 1], [0.5, 0.2, 0.5], [1, 0.2, 0]])
    share = np.array([[-1.0, 0.0, 0.5], [1.0, 2.0, 0.25], [0, 0, 0]])
    mixed = blend(np.zeros((3, 3, 3)), (1.0, 0.5, 0.0), share)
    assert np.allclose(mixed[..., 0], np.clip(share, 0, 1))
    assert np.allclose(mixed[..., 1], np.clip(share, 0, 1) / 2)


def test_a_colour_nearby() -> None:
    rng = np.random.default_rng(0)
    found = np.array([vary((0.5, 0.5, 0.98), rng) for _ in range(500)])
    assert found.min() >= 0
    assert found.max() <= 1
    assert np.allclose(found[:, :2].mean(axis=0), 0.5, atol=0.02)
    assert 0.03 < found[:, 0].std() < 0.1
    assert vary((0.2, 0.3, 0.4), rng, 0.0) == pytest.approx((0.2, 0.3, 0.4))
