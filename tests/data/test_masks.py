"""Mask files: formats, sizes, and where they are found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.mask_files import fit_mask, mirrored, read_mask
from dapt.errors import DataError


def save(path: Path, values: object, mode: str | None = None) -> Path:
    picture = Image.fromarray(np.array(values, dtype=np.uint8))
    if mode == "P":
        picture = Image.fromarray(np.array(values, dtype=np.uint8), mode="L").convert("P")
        picture = Image.new("P", picture.size)
        picture.putdata([int(v) for row in values for v in row])
        picture.putpalette([(value * 37) % 256 for value in range(768)])
    picture.save(path)
    return path


def test_binary_at_128(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", [[0, 127], [128, 255]])
    assert read_mask(path, "binary").tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("mode", [None, "P"])
def test_label_maps_and_pascal_ignore(tmp_path: Path, mode: str | None) -> None:
    path = save(tmp_path / "m.png", [[0, 1], [15, 255]], mode)
    assert read_mask(path, "labels").tolist() == [[False, True], [True, False]]


def test_trimap(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", [[1, 2], [3, 1]])
    assert read_mask(path, "trimap").tolist() == [[True, False], [False, True]]


def test_colour_masks(tmp_path: Path) -> None:
    path = save(tmp_path / "m.png", [[[255, 255, 255], [0, 0, 0]]])
    assert read_mask(path, "binary").tolist() == [[True, False]]
    grey = save(tmp_path / "l.png", [[[2, 2, 2], [0, 0, 0]]])
    assert read_mask(grey, "labels").tolist() == [[True, False]]
    colour = save(tmp_path / "c.png", [[[0, 128, 0], [0, 0, 0]]])
    with pytest.raises(DataError, match=r"c\.png is a colour picture, the format 'labels' needs one number"):
        read_mask(colour, "labels")


def test_unusual_mask_pictures(tmp_path: Path) -> None:
    one_bit = tmp_path / "one.png"
    Image.fromarray(np.array([[0, 255]], dtype=np.uint8)).convert("1").save(one_bit)
    assert read_mask(one_bit, "labels").tolist() == read_mask(one_bit, "binary").tolist() == [[False, True]]
    cut_out = tmp_path / "alpha.png"
    Image.fromarray(np.array([[[255, 255, 255, 0], [255, 255, 255, 255]]], dtype=np.uint8), "RGBA").save(cut_out)
    assert read_mask(cut_out, "binary").tolist() == [[False, True]]
    deep = tmp_path / "deep.png"
    Image.fromarray(np.array([[100, 65535]], dtype=np.uint16)).save(deep)
    assert read_mask(deep, "binary").tolist() == [[False, True]]
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    Image.fromarray(np.zeros((8, 16), dtype=np.uint8)).save(turned, exif=exif)
    assert read_mask(turned, "binary").shape == (16, 8)


def test_resizing_keeps_the_aspect(tmp_path: Path) -> None:
    mask = torch.zeros(10, 20, dtype=torch.bool)
    mask[:, :10] = True
    large = fit_mask(mask, (40, 80), tmp_path / "m", tmp_path / "i")
    assert large.shape == (40, 80)
    assert large[:, :40].all()
    assert not large[:, 40:].any()
    fit_mask(mask, (40, 81), tmp_path / "m", tmp_path / "i")
    with pytest.raises(DataError, match=r"mask .*m \(20 x 10\)[\s\S]*image .*i \(40 x 40\)"):
        fit_mask(mask, (40, 40), tmp_path / "m", tmp_path / "i")


def test_unreadable_and_missing(tmp_path: Path) -> None:
    broken = tmp_path / "m.png"
    broken.write_bytes(b"\x89PNG nonsense")
    with pytest.raises(DataError, match=r"m\.png cannot be read"):
        read_mask(broken, "binary")
    with pytest.raises(DataError, match="There is no mask"):
        read_mask(tmp_path / "absent.png", "binary")


def test_mirrored_folder_takes_any_extension(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    save(tmp_path / "cat" / "one.png", [[0, 255]])
    assert mirrored(tmp_path, "cat/one.jpg") == tmp_path / "cat" / "one.png"
    assert mirrored(tmp_path, "cat/two.jpg") is None
