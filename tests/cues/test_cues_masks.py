"""Masks from a folder, or the data set's own where no folder is given."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.cues.base import CueContext
from dapt.cues.masks import MaskFileCue
from dapt.data.items import ImageSet
from dapt.data.load.image_cache import ImageCache
from dapt.data.resolve import load_data
from dapt.errors import DataError
from dapt.strict import PartOptions


def made(data: ImageSet, folder: Path | None, kind: str = "binary") -> MaskFileCue:
    return MaskFileCue(CueContext(PartOptions(), folder, kind, False, ImageCache(0), 1, data))


@pytest.fixture
def left_halves(table: Path, tmp_path: Path) -> Path:
    """A folder that mirrors the images, with other masks than the data set's own."""
    folder = tmp_path / "left"
    values = np.zeros((40, 48), np.uint8)
    values[:, :24] = 255
    for item in load_data(str(table)).chosen("all"):
        path = folder / item.name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(values).save(path)
    return folder


def test_the_folder_goes_before_the_own_masks(table: Path, left_halves: Path) -> None:
    data = load_data(str(table))
    for mask in made(data, left_halves).prepare(data.split("val"), None):
        assert mask.float().mean(dim=0).tolist() == [1.0] * 24 + [0.0] * 24
    for item, mask in zip(data.split("val"), made(data, None).prepare(data.split("val"), None), strict=True):
        assert np.array_equal(mask.numpy(), np.array(Image.open(item.mask)) >= 128)


def test_two_files_for_one_image_are_told_before_anything_is_prepared(table: Path, left_halves: Path) -> None:
    path = left_halves / "images" / "red_square_0.png"
    shutil.copy(path, path.with_suffix(".bmp"))
    with pytest.raises(DataError, match="red_square_0"):
        made(load_data(str(table)), left_halves)


def test_the_images_themselves_are_no_masks(table: Path) -> None:
    with pytest.raises(DataError, match="is that image itself"):
        made(load_data(str(table)), table.parent)


def test_the_wrong_format_is_noticed_when_masks_are_checked(table: Path, left_halves: Path) -> None:
    data = load_data(str(table))
    for path in left_halves.rglob("*.png"):
        Image.open(path).point(lambda value: value // 255).save(path)
    wrong, right = made(data, left_halves), made(data, left_halves, "labels")
    assert wrong.prepare(data.split("train"), None) == [None] * 16
    with pytest.raises(DataError):
        wrong.check()
    assert all(mask.float().mean() == 0.5 for mask in right.prepare(data.split("train"), None))
    right.check()
