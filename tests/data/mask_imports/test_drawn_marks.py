"""Objects drawn into a photograph, and how they lie in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.base import Mark
from dapt.data.mask_imports.drawn_marks import check_shapes, draw_marks, place_marks
from dapt.data.masks.drawn import SHARES, Shape
from dapt.data.outlines import UNTOLD, Outline
from dapt.errors import DataError

SHAPE = Shape((30, 40))
ITEM = Item(Path("a.jpg"), 0, "a.jpg")


def mark(label: str, *boxes: tuple[float, ...], size: tuple[float, float] = (40, 30)) -> Mark:
    """An object of boxes."""
    return Mark(label, tuple(Outline("box", box, size) for box in boxes))


def test_the_union_and_what_overlaps() -> None:
    mask, overlap = draw_marks([mark("cat", (0, 0, 4, 4)), mark("dog", (2, 2, 6, 6))], SHAPE, ITEM)
    assert mask.sum() == 28
    assert overlap == "cat and dog"
    assert draw_marks([mark("cat", (0, 0, 4, 4)), mark("dog", (4, 4, 6, 6))], SHAPE, ITEM)[1] == ""
    assert draw_marks([mark("cat", (0, 0, 4, 4)), mark("cat", (2, 2, 6, 6))], SHAPE, ITEM)[1] == "", "one category"


@pytest.mark.parametrize(
    ("box", "size", "place"),
    [
        ((0, 0, 40, 30), (40, 30), "inside"),
        ((-0.5, 0, 40.5, 30), (40, 30), "inside"),
        ((-3, 0, 4, 4), (40, 30), "clipped"),
        ((38, 0, 50, 4), UNTOLD, "clipped"),
        ((41, 0, 50, 4), (40, 30), "outside"),
        ((-4, 0, 0, 4), (40, 30), "outside"),
        ((41, 0, 50, 4), (80, 60), "inside"),
        ((0.5, 0.5, 1.2, 1.0), SHARES, "clipped"),
        ((0.5, 0.5, 1.02, 1.0), SHARES, "inside"),
        ((1.1, 0.5, 1.2, 1.0), SHARES, "outside"),
    ],
)
def test_where_objects_lie(box: tuple[float, ...], size: tuple[float, float], place: str) -> None:
    placed = place_marks([mark("cat", box, size=size)], SHAPE)
    assert (placed.clipped, placed.outside) == {"inside": (0, 0), "clipped": (1, 0), "outside": (0, 1)}[place]
    assert placed.resized == (size == (80, 60))
    assert draw_marks([mark("cat", box, size=size)], SHAPE, ITEM)[0].any() == (place != "outside")


def test_a_part_that_lies_outside() -> None:
    placed = place_marks([mark("cat", (1, 1, 5, 5), (50, 50, 60, 60))], SHAPE)
    assert (placed.clipped, placed.outside) == (1, 0)
    assert [len(each.outlines) for each in placed.marks] == [1]


def test_another_shape() -> None:
    check_shapes([mark("cat", (1, 1, 2, 2), size=(80, 60))], SHAPE, ITEM)
    with pytest.raises(DataError, match="a picture of 50 x 50 pixels, but the photo has 40 x 30"):
        check_shapes([mark("cat", (1, 1, 2, 2)), mark("cat", (1, 1, 2, 2), size=(50, 50))], SHAPE, ITEM)
