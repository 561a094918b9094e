"""Reading photographs: any mode as upright RGB, damage and refusals told apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.load.images import ORIENTATION, RefusedImageError, image_size, image_tensor, open_image
from dapt.errors import DataError

RGB = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 14


def save(path: Path, image: Image.Image, orientation: int | None = None) -> Path:
    exif = Image.Exif()
    if orientation:
        exif[ORIENTATION] = orientation
    image.save(path, exif=exif)
    return path


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "1", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    image = Image.fromarray(RGB).convert(mode)
    path = save(tmp_path / ("x.tif" if mode == "CMYK" else "x.png"), image)
    opened = open_image(path)
    assert opened.mode == "RGB"
    assert np.array_equal(np.array(opened), np.array(image.convert("RGB")))


def test_deep_pictures_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    values = np.array([[0, 257, 25700], [32639, 65280, 65535]], dtype=np.uint16)
    path = save(tmp_path / "x.png", Image.fromarray(values))
    assert image_tensor(path)[0].tolist() == [[0, 1, 100], [127, 254, 255]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    """By the definition of EXIF: in which way the stored rows and columns are to be shown."""
    upright = {
        1: RGB,
        2: RGB[:, ::-1],
        3: RGB[::-1, ::-1],
        4: RGB[::-1],
        5: RGB.transpose(1, 0, 2),
        6: RGB.transpose(1, 0, 2)[:, ::-1],
        7: RGB.transpose(1, 0, 2)[::-1, ::-1],
        8: RGB.transpose(1, 0, 2)[::-1],
    }[orientation]
    path = save(tmp_path / "x.png", Image.fromarray(RGB), orientation)
    found = image_tensor(path)
    assert torch.equal(found, torch.from_numpy(upright.copy()).permute(2, 0, 1))
    assert image_size(path) == upright.shape[:2] == tuple(found.shape[1:])


def test_pixels_lie_together(tmp_path: Path) -> None:
    found = image_tensor(save(tmp_path / "x.png", Image.fromarray(RGB)))
    assert found.dtype == torch.uint8
    assert found.shape == (3, 2, 3)
    assert found.permute(1, 2, 0).is_contiguous()


def test_damaged_and_missing_pictures(tmp_path: Path) -> None:
    path = save(tmp_path / "x.png", Image.fromarray(RGB))
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match="is damaged or not an image") as caught:
        open_image(path)
    assert not isinstance(caught.value, RefusedImageError)
    with pytest.raises(DataError, match="There is no image"):
        open_image(tmp_path / "no.png")
    with pytest.raises(DataError, match="cannot be read"):
        image_size(tmp_path / "no.png")
    (tmp_path / "text.png").write_text("hello")
    for read in (open_image, image_size, image_tensor):
        with pytest.raises(DataError, match=r"text\.png"):
            read(tmp_path / "text.png")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for read in (open_image, image_size):
        with pytest.raises(RefusedImageError):
            read(tmp_path)
