"""Labelme's shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.base import BOXES, NO_AREA, Asked, Found
from dapt.data.mask_imports.drawn_marks import draw_marks
from dapt.data.mask_imports.formats.labelme import LabelmeImport
from dapt.data.mask_imports.source import Source
from dapt.data.masks.drawn import Shape
from dapt.errors import DataError
from mask_exports import SIZE, labelme, save, shape, true_mask


def found_in(folder: Path, *shapes: dict[str, Any], size: tuple[int, int] | None = SIZE) -> Found:
    """What is found in the file of one photograph."""
    save(folder / "a.json", labelme("a.jpg", list(shapes), size))
    return LabelmeImport().read(Source(folder), Asked())


def mask_of(found: Found) -> np.ndarray:
    """Its mask."""
    assert found.damaged == []
    return draw_marks(found.pictures[0].marks, Shape((SIZE[1], SIZE[0])), Item(Path("a.jpg"), 0, "a.jpg"))[0]


def test_all_shapes_with_an_area(tmp_path: Path) -> None:
    found = found_in(tmp_path / "a", shape("cat", [[20, 15], [4, 5]], "rectangle"))
    assert (mask_of(found) == true_mask((4, 5, 20, 15))).all()
    assert found.taken == {BOXES: ["a.jpg"]}
    four = [[4, 5], [20, 5], [20, 15], [4, 15]]
    assert (mask_of(found_in(tmp_path / "b", shape("cat", four, "rectangle"))) == true_mask((4, 5, 20, 15))).all()
    circle = mask_of(found_in(tmp_path / "c", shape("cat", [[20, 15], [20, 5]], "circle")))
    y, x = np.mgrid[:30, :40] + 0.5
    assert (circle == ((x - 20) ** 2 + (y - 15) ** 2 < 100)).all()
    without_size = found_in(tmp_path / "d", shape("cat", four), size=None)
    assert (mask_of(without_size) == true_mask((4, 5, 20, 15))).all()


def test_lines_and_points_are_counted(tmp_path: Path) -> None:
    kinds = ("line", "linestrip", "point", "points")
    found = found_in(tmp_path, *(shape("cat", [[1, 2], [3, 4], [5, 1]], kind) for kind in kinds))
    assert found.left_out == {NO_AREA: ["a.jpg"] * 4}
    assert found.pictures[0].marks == ()
    assert list(found.labels) == ["cat"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (shape("cat", [[1, 2, 3], [3, 4], [5, 1]]), "a point has not two numbers"),
        (shape("cat", "none"), "it has no list of points"),
        (shape("cat", [[1, 2]], "rectangle"), "a rectangle has 1 points, not 2"),
        (shape("cat", [[1, 2], [3, 4]], "spiral"), "its kind, 'spiral', is not known"),
        (shape("cat", [[1, 2], [3, 4]], "mask", mask="%%"), "cannot be understood"),
        (shape("cat", [[1, 2], [3, 4]], "mask", mask="aGVsbG8="), "cannot be understood"),
        (shape("cat", [[1, 2], [3, 4]], "mask"), "a mask without its bitmap"),
        (shape("cat", [[1, None], [3, 4]], "circle"), "not written as numbers"),
    ],
)
def test_damaged_shapes(tmp_path: Path, wrong: dict[str, Any], told: str) -> None:
    found = found_in(tmp_path, wrong, shape("cat", [[1, 1], [5, 1], [5, 5]]))
    assert len(found.damaged) == 1
    assert told in found.damaged[0]
    assert len(found.pictures[0].marks) == 1


def test_a_mask_needs_the_size_of_its_picture(tmp_path: Path) -> None:
    found = found_in(tmp_path, shape("cat", [[1, 2], [3, 4]], "mask", mask=""), size=None)
    assert "does not tell the size of its picture" in found.damaged[0]


def test_where_the_photo_is(tmp_path: Path) -> None:
    for path in ("..\\\\images\\\\1.jpg", "../images/1.jpg"):
        save(tmp_path / "cat" / "json" / "1.json", f'{{"shapes": [], "imagePath": "{path}"}}')
        found = LabelmeImport().read(Source(tmp_path), Asked())
        assert found.pictures[0].names == ("cat/images/1.jpg", "cat/json/1")
    save(tmp_path / "cat" / "json" / "1.json", '{"shapes": [], "imagePath": null}')
    assert LabelmeImport().read(Source(tmp_path), Asked()).pictures[0].names == ("cat/json/1",)
    save(tmp_path / "other" / "a.json", "{}")
    with pytest.raises(DataError, match="holds no Labelme JSON"):
        LabelmeImport().read(Source(tmp_path / "other"), Asked())
