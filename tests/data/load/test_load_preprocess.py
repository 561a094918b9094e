"""From a picture, however it is held, to normalised pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.clip.frozen import Preprocess
from dapt.data.load.preprocess import ImagePreprocess, bytes_of
from dapt.errors import DataError

PIXELS = np.arange(4 * 4 * 3, dtype=np.uint8).reshape(4, 4, 3) * 5
HOW = Preprocess((0.5, 0.25, 0.0), (0.5, 1.0, 2.0))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Image.fromarray(PIXELS).save(tmp_path / "x.png")
    return tmp_path / "x.png"


def test_a_file_its_picture_and_its_bytes_are_the_same(path: Path) -> None:
    expected = torch.from_numpy(PIXELS).permute(2, 0, 1)
    for picture in (path, str(path), Image.open(path), Image.fromarray(PIXELS), PIXELS):
        assert torch.equal(bytes_of(picture), expected)


def test_pixels_are_normalised(path: Path) -> None:
    found = ImagePreprocess((4, 4), HOW)(path)
    expected = (PIXELS / 255 - np.array(HOW.mean)) / np.array(HOW.std)
    assert torch.allclose(found, torch.from_numpy(expected).permute(2, 0, 1).float(), atol=1e-6)


def test_a_mask_in_the_frame_of_the_pixels() -> None:
    """Of a picture twice as wide as high the middle is kept, of the mask too."""
    wide = np.zeros((4, 8, 3), np.uint8)
    mask = np.zeros((4, 8), np.uint8)
    mask[:, 4:] = 7  # anything but 0
    _, found = ImagePreprocess((4, 4), HOW).joint(wide, mask)
    assert found.tolist() == [[[0, 0, 1, 1]] * 4]
    soft = torch.full((4, 8), 0.25)
    assert ImagePreprocess((4, 4), HOW).joint(wide, soft)[1].unique().tolist() == [0.25]
    with pytest.raises(DataError, match=r"The mask is \[4, 4\], the picture \[4, 8\]"):
        ImagePreprocess((4, 4), HOW).joint(wide, mask[:, :4])


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (PIXELS.astype(np.float32), "float32 array of shape"),
        (PIXELS[..., 0], r"uint8 array of shape \(4, 4\)"),
        (np.zeros((4, 4, 4), np.uint8), r"shape \(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), "without pixels"),
        (torch.zeros(3, 4, 4), "not 'Tensor'"),
        (None, "not 'NoneType'"),
    ],
)
def test_what_is_no_picture(picture: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        bytes_of(picture)  # type: ignore[arg-type]
