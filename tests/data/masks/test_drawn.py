"""Masks drawn from annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.items import ImageSet, Item
from dapt.data.masks.drawn import draw, with_drawn_masks
from dapt.data.outlines import Outline
from dapt.errors import DataError

ITEM = Item(Path("a.jpg"), 0, "a.jpg")


def drawn(*outlines: Outline, size: tuple[int, int] = (6, 4)) -> np.ndarray:
    return np.array(draw(outlines, size, ITEM)) > 0


def test_a_box_in_pixels_and_in_shares() -> None:
    expected = np.zeros((4, 6), bool)
    expected[1:3, 2:5] = True
    assert (drawn(Outline("box", (2, 1, 5, 3), (6, 4))) == expected).all()
    assert (drawn(Outline("box", (2 / 6, 1 / 4, 5 / 6, 3 / 4), (1, 1))) == expected).all()
    assert (drawn(Outline("box", (4, 2, 10, 6), (12, 8))) == expected).all()  # annotated on a larger copy


def test_runs_go_down_the_columns() -> None:
    mask = drawn(Outline("runs", (5, 2, 1, 2, 14), (6, 4)))
    expected = np.zeros((4, 6), bool)
    expected[1:3, 1] = True
    expected[0:2, 2] = True
    assert (mask == expected).all()
    with pytest.raises(DataError, match="has 9 pixels, not 6 x 4"):
        drawn(Outline("runs", (5, 4), (6, 4)))


def test_polygons_are_united() -> None:
    left = Outline("polygon", (0, 0, 2, 0, 2, 3, 0, 3), (6, 4))
    right = Outline("polygon", (4, 0, 5, 0, 5, 3, 4, 3), (6, 4))
    assert drawn(left, right).sum(axis=0).tolist() == [4, 4, 4, 0, 4, 4]


def test_written_once_and_found_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos" / "x").mkdir(parents=True)
    paths = [tmp_path / "photos" / "x" / f"{number}.jpg" for number in range(3)]
    for path in paths:
        Image.new("RGB", (6, 4)).save(path)
    items = tuple(Item(path, 0, f"x/{path.name}") for path in paths)
    outlines = {item.name: (Outline("box", (2, 1, 5, 3), (6, 4)),) for item in items[:2]}
    data = ImageSet("photos", tmp_path / "photos", ("cat",), {"train": items[:2], "test": items[2:]}, outlines=outlines)
    root = tmp_path / "root"
    found = with_drawn_masks(data, root)
    masks = [item.mask for part in found.splits.values() for item in part]
    assert masks[2] is None
    assert all(mask is not None and np.array(Image.open(mask)).sum() == 6 * 255 for mask in masks[:2])
    assert found.mask_format == "binary"
    assert "Drawing 2 masks" in capsys.readouterr().err
    assert with_drawn_masks(data, root).splits == found.splits
    assert "Drawing" not in capsys.readouterr().err
    assert with_drawn_masks(found, root) is found
    plain = ImageSet("photos", tmp_path, ("cat",), {"train": items})
    assert with_drawn_masks(plain, root) is plain
