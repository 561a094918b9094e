"""Single pictures to normalised pixels: numbers by hand, all ways to hold a picture, and what is none."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.load.preprocess import ImagePreprocess, bytes_of
from dapt.errors import DataError
from helpers import PREPROCESS

SAME = ImagePreprocess((4, 6), PREPROCESS)  # for pictures of 6 x 4 pixels nothing is resized
VALUES = np.arange(72, dtype=np.uint8).reshape(4, 6, 3)


def test_pixels_are_shares_less_the_mean_by_the_deviation() -> None:
    found = SAME(VALUES)
    assert found.shape == (3, 4, 6)
    for channel, row, column in ((0, 0, 0), (1, 2, 5), (2, 3, 1)):
        share = float(VALUES[row, column, channel]) / 255
        expected = (share - PREPROCESS.mean[channel]) / PREPROCESS.std[channel]
        assert float(found[channel, row, column]) == pytest.approx(expected, abs=1e-5)


def test_however_a_picture_is_held(tmp_path: Path) -> None:
    Image.fromarray(VALUES).save(tmp_path / "a.png")
    expected = SAME(VALUES)
    for given in (tmp_path / "a.png", str(tmp_path / "a.png"), Image.fromarray(VALUES)):
        assert torch.equal(SAME(given), expected)
    assert torch.equal(bytes_of(VALUES), torch.from_numpy(VALUES).permute(2, 0, 1))
    kept = bytes_of(VALUES)
    kept.zero_()
    assert VALUES.any(), "the caller's array is not changed"


def test_a_mask_stays_with_its_picture() -> None:
    mask = np.zeros((4, 6), dtype=np.uint8)
    mask[1, 2] = 7
    pixels, weight = SAME.joint(VALUES, mask)
    assert torch.equal(pixels, SAME(VALUES))
    assert weight.shape == (1, 4, 6)
    assert torch.equal(weight[0], torch.from_numpy(mask != 0).float())
    assert torch.equal(SAME.joint(VALUES, torch.from_numpy(mask != 0))[1], weight)
    half = torch.full((4, 6), 0.5)
    assert torch.allclose(SAME.joint(VALUES, half)[1][0], half), "shares stay shares"


def test_the_middle_is_cut_out_of_picture_and_mask_alike() -> None:
    wide = np.zeros((8, 16, 3), dtype=np.uint8)
    wide[:, 4:12] = 255
    pixels, weight = ImagePreprocess((8, 8), PREPROCESS).joint(wide, wide[..., 0])
    assert torch.equal(weight, torch.ones(1, 8, 8))
    assert torch.allclose(pixels[0], torch.full((8, 8), (1 - PREPROCESS.mean[0]) / PREPROCESS.std[0]), atol=1e-5)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6, 1), (3, 6)])
def test_masks_of_another_size(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match=r"The mask is \[.*\], the picture \[4, 6\]"):
        SAME.joint(VALUES, np.ones(shape, dtype=np.uint8))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (VALUES.astype(np.float32), r"not .*float32 array of shape \(4, 6, 3\)"),
        (VALUES[..., 0], r"uint8 array of shape \(4, 6\)"),
        (np.zeros((4, 6, 4), np.uint8), r"uint8 array of shape \(4, 6, 4\)"),
        (np.zeros((0, 6, 3), np.uint8), "without pixels"),
        (torch.zeros(3, 4, 6), "not 'Tensor'"),
        (Path("/nowhere.png"), "nowhere"),
    ],
)
def test_what_is_no_picture(given: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SAME(given)


def test_loader_processes_may_have_it() -> None:
    assert torch.equal(pickle.loads(pickle.dumps(SAME))(VALUES), SAME(VALUES))
