"""Shapes of annotation tools as outlines, drawn and compared with what they mean."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.shapes import box, ellipse, placed, runs_of, turned_box
from dapt.data.masks.drawn import Shape, draw
from dapt.data.outlines import Outline

SIZE = (60, 40)


def drawn(outline: Outline) -> np.ndarray:
    """The pixels of one outline."""
    return np.asarray(draw([outline], Shape((SIZE[1], SIZE[0])), Item(Path("a"), 0, "a"))) > 0


def grid() -> tuple[np.ndarray, np.ndarray]:
    """x and y of the centres of pixels."""
    y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    return x, y


@pytest.mark.parametrize("degrees", [0, 30, 90, 215])
def test_ellipses(degrees: float) -> None:
    x, y = grid()
    angle = math.radians(degrees)
    across, down = x - 30, y - 20
    along = across * math.cos(angle) + down * math.sin(angle)
    aside = -across * math.sin(angle) + down * math.cos(angle)
    distance = (along / 15) ** 2 + (aside / 7) ** 2
    mask = drawn(ellipse(30, 20, (15, 7), degrees, SIZE))
    assert mask[distance < 0.99].all()
    assert not mask[distance > 1.01].any()


def test_boxes_whichever_corner_comes_first() -> None:
    mask = drawn(box(20, 15, 4, 5, SIZE))
    assert mask.sum() == 160
    assert mask[5:15, 4:20].all()
    assert (drawn(turned_box((4, 5, 20, 15), (0, 0), 360, SIZE)) == mask).all()


def test_turned_boxes() -> None:
    mask = drawn(turned_box((20, 10, 30, 14), (20, 10), 90, SIZE))  # clockwise about its first corner
    expected = np.zeros_like(mask)
    expected[10:20, 16:20] = True
    assert (mask == expected).all()
    middle = drawn(turned_box((20, 10, 30, 14), (25, 12), 90, SIZE))
    assert middle[7:17, 23:27].all()
    assert middle.sum() == 40


@pytest.mark.parametrize("kind", ["noise", "empty", "full"])
def test_bitmaps_as_runs(kind: str) -> None:
    bits = np.random.default_rng(0).random((SIZE[1], SIZE[0])) > {"noise": 0.5, "empty": 2, "full": -1}[kind]
    outline = runs_of(bits)
    assert sum(outline.values) == bits.size
    assert (drawn(outline) == bits).all()


@pytest.mark.parametrize(("left", "top"), [(5, 3), (-4, -6), (55, 35), (100, 3), (-20, -20)])
def test_bitmaps_of_a_part_of_the_picture(left: int, top: int) -> None:
    bits = np.random.default_rng(0).random((10, 12)) > 0.5
    expected = np.zeros((SIZE[1], SIZE[0]), dtype=bool)
    for row, column in np.argwhere(bits):
        if 0 <= row + top < SIZE[1] and 0 <= column + left < SIZE[0]:
            expected[row + top, column + left] = True
    assert (drawn(placed(bits, left, top, SIZE)) == expected).all()
    with pytest.raises(ValueError, match="would have 99999 x 99999 pixels"):
        placed(bits, left, top, (99_999, 99_999))
