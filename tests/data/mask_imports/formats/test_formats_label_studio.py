"""Label Studio's results."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.base import NO_AREA, Asked, Found
from dapt.data.mask_imports.drawn_marks import draw_marks
from dapt.data.mask_imports.formats.label_studio import OTHERS, PREDICTED, SEVERAL, SKIPPED, LabelStudioImport
from dapt.data.mask_imports.source import Source
from dapt.data.masks.drawn import Shape
from dapt.errors import DataError
from mask_exports import SIZE, result, save, task, true_mask

TRIANGLE = result("polygonlabels", {"points": [[10, 10], [50, 10], [50, 50]], "polygonlabels": ["cat"]})


def found_in(folder: Path, *results: dict[str, Any], **changes: Any) -> Found:
    """What is found in a file of one task."""
    save(folder / "a.json", json.dumps([{**task(1, "a.jpg", list(results)), **changes}]))
    return LabelStudioImport().read(Source(folder), Asked())


def mask_in(folder: Path, one: dict[str, Any]) -> np.ndarray:
    """The mask of its picture."""
    found = found_in(folder, one)
    assert found.damaged == []
    return draw_marks(found.pictures[0].marks, Shape((SIZE[1], SIZE[0])), Item(Path("a.jpg"), 0, "a.jpg"))[0]


def test_rectangles_turn_about_their_first_corner(tmp_path: Path) -> None:
    place = {"x": 10, "y": 20, "width": 40, "height": 40, "rectanglelabels": ["cat"]}
    assert (mask_in(tmp_path / "a", result("rectanglelabels", place)) == true_mask((4, 6, 20, 18))).all()
    turned = mask_in(tmp_path / "b", result("rectanglelabels", {**place, "x": 50, "rotation": 90}))
    assert (turned == true_mask((8, 6, 20, 22))).all()


def test_ellipses(tmp_path: Path) -> None:
    place = {"x": 50, "y": 50, "radiusX": 25, "radiusY": 20, "rotation": 0, "ellipselabels": ["cat"]}
    y, x = np.mgrid[:30, :40] + 0.5
    assert (mask_in(tmp_path, result("ellipselabels", place)) == (((x - 20) / 10) ** 2 + ((y - 15) / 6) ** 2 < 1)).all()


def test_shares_where_no_size_is_told(tmp_path: Path) -> None:
    plain = {
        "type": "rectanglelabels",
        "value": {"x": 10, "y": 20, "width": 40, "height": 40, "rectanglelabels": ["c"]},
    }
    assert (mask_in(tmp_path / "a", plain) == true_mask((4, 6, 20, 18))).all()
    plain["value"]["rotation"] = 5
    assert "the size of the picture is not told" in found_in(tmp_path / "b", plain).damaged[0]


def test_what_has_no_area_or_no_place(tmp_path: Path) -> None:
    point = result("keypointlabels", {"x": 1, "y": 1, "width": 1, "keypointlabels": ["nose"]})
    choice = {"type": "choices", "value": {"choices": ["good"]}}
    unlabelled = result("polygon", {"points": [[10, 10], [50, 10], [50, 50]]})
    found = found_in(tmp_path, point, choice, unlabelled)
    assert found.left_out == {NO_AREA: ["a.jpg"]} or list(found.left_out) == [NO_AREA]
    assert [mark.label for mark in found.pictures[0].marks] == ["(no name)"]
    assert found.damaged == []


def test_several_people_and_skipped_tasks(tmp_path: Path) -> None:
    done = [{"result": [TRIANGLE]}, {"result": [TRIANGLE]}, {"result": [TRIANGLE], "was_cancelled": True}]
    found = found_in(tmp_path, annotations=done, predictions=[{"result": [TRIANGLE] * 5}])
    assert len(found.pictures[0].marks) == 2
    assert list(found.taken) == [SEVERAL]
    assert list(found.left_out) == [SKIPPED]


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    found = found_in(tmp_path, annotations=[], predictions=[{"result": [TRIANGLE]}])
    assert found.left_out == {PREDICTED: ["/data/local-files/?d=a.jpg"]}
    assert found.pictures[0].marks == ()
    found = found_in(tmp_path, result("cuboid", {"x": 1, "y": 1, "width": 3, "height": 4}), TRIANGLE)
    assert list(found.left_out) == [OTHERS]
    assert len(found.pictures[0].marks) == 1
    both = result("polygonlabels", {**TRIANGLE["value"], "polygonlabels": ["cat", "pet"]})
    assert [mark.label for mark in found_in(tmp_path, both).pictures[0].marks] == ["cat", "pet"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (result("polygonlabels", {"points": [[1, 2, 3], [3, 4], [5, 1]], "polygonlabels": ["cat"]}), "not two numbers"),
        (result("polygonlabels", {"polygonlabels": ["cat"]}), "cannot be understood"),
        (result("brushlabels", {"rle": [1, 2, 3], "brushlabels": ["cat"]}), "ends in the middle"),
        (result("brushlabels", {"rle": "abc", "brushlabels": ["cat"]}), "cannot be understood"),
        (result("brushlabels", {"rle": [0] * 20, "brushlabels": ["cat"]}), "0 values, not 4800"),
        (result("brushlabels", {"rle": [0], "brushlabels": ["cat"]}, (99999, 99999)), "too large"),
        (result("rectanglelabels", {"x": "a", "y": 1, "width": 1, "height": 1, "rectanglelabels": ["c"]}), "cannot be"),
        ({**TRIANGLE, "image_rotation": 90}, "was turned while it was annotated"),
        ({"value": 3}, "it has no value"),
        (4, "cannot be understood"),
    ],
)
def test_damaged_results(tmp_path: Path, wrong: Any, told: str) -> None:
    found = found_in(tmp_path, wrong, TRIANGLE)
    assert len(found.damaged) == 1
    assert told in found.damaged[0]
    assert len(found.pictures[0].marks) == 1


def test_what_the_picture_is_called(tmp_path: Path) -> None:
    found = found_in(tmp_path, data={"text": "hello", "url": "s3://bucket/b.jpg"}, file_upload="0a1b2c3d-b.jpg")
    assert found.pictures[0].names == ("s3://bucket/b.jpg", "0a1b2c3d-b.jpg")
    assert found_in(tmp_path, data={"text": "hello"}).pictures[0].names == ("task 1",)
    save(tmp_path / "a.json", '[{"data": {"image": "a.jpg"}, "annotations": []}, 4]')
    found = LabelStudioImport().read(Source(tmp_path), Asked())
    assert found.damaged == ["a.json: task 1 is no task"]
    save(tmp_path / "a.json", "[]")
    with pytest.raises(DataError, match="holds no JSON of Label Studio"):
        LabelStudioImport().read(Source(tmp_path), Asked())
