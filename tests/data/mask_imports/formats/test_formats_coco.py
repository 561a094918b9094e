"""COCO: all that a file may say of places, and what is wrong with files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.base import BOXES as BOXES_ONLY
from dapt.data.mask_imports.base import NO_PLACE, Asked, Found
from dapt.data.mask_imports.drawn_marks import draw_marks
from dapt.data.mask_imports.formats.coco import ORPHANS, TWICE, CocoImport
from dapt.data.mask_imports.source import Source
from dapt.data.masks.drawn import Shape
from dapt.errors import DataError
from mask_exports import packed, runs, save, true_mask

SIZE = (57, 43)
SHAPE = Shape((SIZE[1], SIZE[0]))


def found_in(folder: Path, *annotations: dict[str, Any], **changes: Any) -> Found:
    """What is found in a file with one image and these annotations."""
    tree = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": SIZE[0], "height": SIZE[1]}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 1, **each} for number, each in enumerate(annotations)
        ],
        **changes,
    }
    save(folder / "f.json", json.dumps(tree))
    return CocoImport().read(Source(folder), Asked())


def mask_in(folder: Path, *annotations: dict[str, Any]) -> np.ndarray:
    """The mask of that image."""
    found = found_in(folder, *annotations)
    assert found.damaged == []
    return draw_marks(found.pictures[0].marks, SHAPE, Item(Path("a.jpg"), 0, "a.jpg"))[0]


def test_run_lengths_are_those_of_pycocotools(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    rng = np.random.default_rng(0)
    for number, share in enumerate((0.02, 0.5, 0.98)):
        bits = rng.random((SIZE[1], SIZE[0])) < share
        told = coco.encode(np.asfortranarray(bits.astype(np.uint8)))
        counts = told["counts"].decode()
        assert counts == packed(runs(bits)), "the tests write what pycocotools writes"
        place = {"counts": counts, "size": [SIZE[1], SIZE[0]]}
        assert (mask_in(tmp_path / str(number), {"segmentation": place, "iscrowd": 1}) == bits).all()
        plain = {"counts": runs(bits), "size": [SIZE[1], SIZE[0]]}
        assert (mask_in(tmp_path / f"p{number}", {"segmentation": plain, "iscrowd": 1}) == bits).all()


def test_polygons_are_those_of_pycocotools_but_for_their_edges(tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    rng = np.random.default_rng(1)
    for number in range(12):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radii = rng.uniform(6, 18, 9)
        points = np.stack([28 + radii * np.cos(angles), 21 + radii * np.sin(angles)], axis=1)
        ours = mask_in(tmp_path / str(number), {"segmentation": [points.ravel().tolist()]})
        theirs = coco.decode(coco.merge(coco.frPyObjects([points.ravel().tolist()], SIZE[1], SIZE[0]))) > 0
        y, x = np.argwhere(ours != theirs).T
        assert (_distance(points, x + 0.5, y + 0.5) <= 1.0).all(), "only pixels on the outline differ"
        assert abs(int(ours.sum()) - int(theirs.sum())) < 0.15 * theirs.sum()


def _distance(points: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How far places are from a polygon's outline."""
    places = np.stack([x, y], axis=-1)
    nearest = np.full(len(places), np.inf)
    for start, end in zip(points, np.roll(points, -1, axis=0), strict=True):
        along = np.clip(((places - start) @ (end - start)) / ((end - start) @ (end - start)), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(places - (start + along[:, None] * (end - start)), axis=1))
    return nearest


def test_several_parts_boxes_and_one_polygon_without_a_list(tmp_path: Path) -> None:
    parts = [[1, 1, 5, 1, 5, 5, 1, 5], [10, 10, 14, 10, 14, 14, 10, 14]]
    assert mask_in(tmp_path / "a", {"segmentation": parts}).sum() == 32
    assert mask_in(tmp_path / "b", {"segmentation": parts[0]}).sum() == 16
    bits = true_mask((3, 4, 9, 9), SIZE)
    place = {"counts": packed(runs(bits)), "size": [SIZE[1], SIZE[0]]}
    assert (mask_in(tmp_path / "d", {"segmentation": [place]}) == bits).all(), "run lengths in a list"
    found = found_in(tmp_path / "c", {"bbox": [2, 3, 4, 5], "segmentation": []}, {"bbox": [0, 0, 0, 5]}, {})
    assert found.taken == {BOXES_ONLY: ["a.jpg"]}
    assert found.left_out == {NO_PLACE: ["a.jpg", "a.jpg"]}
    assert draw_marks(found.pictures[0].marks, SHAPE, Item(Path("a.jpg"), 0, "a.jpg"))[0].sum() == 20


@pytest.mark.parametrize(
    ("annotation", "told"),
    [
        ({"segmentation": {"counts": [1, 2], "size": [43, 57]}}, "run lengths fill 3 pixels, not 2451"),
        ({"segmentation": {"counts": [2452, -1], "size": [43, 57]}}, "cannot be understood"),
        ({"segmentation": {"counts": "\x01\x02", "size": [43, 57]}}, "cannot be understood"),
        ({"segmentation": {"size": [43, 57]}}, "cannot be understood"),
        ({"segmentation": [[1, 2, 3, 4, 5, {}]]}, "no finite numbers"),
        ({"segmentation": 7}, "cannot be understood"),
        ({"bbox": [1, 2, 3]}, "cannot be understood"),
        ({"bbox": ["a", 2, 3, 4]}, "cannot be understood"),
        ({"image_id": None}, "an object without the numbers of its image and category"),
        ({"category_id": 5, "bbox": [1, 2, 3, 4]}, "has the category 5, which is not listed"),
    ],
)
def test_damaged_objects(tmp_path: Path, annotation: dict[str, Any], told: str) -> None:
    found = found_in(tmp_path, annotation, {"bbox": [2, 3, 4, 5]})
    assert len(found.damaged) == 1
    assert told in found.damaged[0]
    assert "a.jpg" in found.damaged[0] or "image_id" in annotation
    assert len(found.pictures[0].marks) == 1


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"categories": [{"id": 1}]}, "a category without id or name"),
        ({"images": [{"id": 1}]}, "an image without id or file_name"),
        ({"images": [3]}, "an image without id or file_name"),
        ({"images": [{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}]}, "two images with the id 1"),
    ],
)
def test_damaged_lists(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError, match=told):
        found_in(tmp_path, {"bbox": [2, 3, 4, 5]}, **changes)


def test_what_is_counted(tmp_path: Path) -> None:
    images = [{"id": "1", "file_name": "a.jpg"}, {"id": 2, "file_name": "a.jpg", "width": "57", "height": "43"}]
    found = found_in(
        tmp_path, {"bbox": [1, 1, 2, 2]}, {"image_id": 9.0, "category_id": 1}, images=images, categories=[]
    )
    assert found.left_out == {ORPHANS: ["image id 9"]}
    assert found.taken[TWICE] == ["a.jpg"]
    assert [mark.label for mark in found.pictures[0].marks] == ["(no name)"]


def test_no_coco(tmp_path: Path) -> None:
    save(tmp_path / "a.json", "[]")
    with pytest.raises(DataError, match="holds no COCO JSON"):
        CocoImport().read(Source(tmp_path), Asked())
