"""YOLO's text files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.mask_imports.base import BOXES, Asked, Found
from dapt.data.mask_imports.formats.yolo_seg import KEYPOINTS, NO_LABELS, SCORES, YoloImport
from dapt.data.mask_imports.source import Source
from dapt.errors import DataError
from mask_exports import save

POLYGON = "0 0.1 0.1 0.5 0.1 0.5 0.5"


def found_in(folder: Path, **texts: str) -> Found:
    """What is found in label files of these names."""
    for name, text in texts.items():
        save(folder / f"{name}.txt", text)
    return YoloImport().read(Source(folder), Asked(photos=("a.jpg", "b.jpg")))


def test_polygons_boxes_and_boxes_with_a_score(tmp_path: Path) -> None:
    found = found_in(tmp_path, a=f"{POLYGON}\n1 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2 0.9\n", b="\n")
    assert [mark.label for mark in found.pictures[0].marks] == ["0", "1", "1"]
    assert [mark.outlines[0].kind for mark in found.pictures[0].marks] == ["polygon", "box", "box"]
    assert found.taken == {BOXES: ["a.txt", "a.txt"]}
    assert found.pictures[1].marks == ()
    assert list(found.labels) == ["0", "1"]


def test_names_of_classes(tmp_path: Path) -> None:
    save(tmp_path / "classes.txt", "cat\ndog\n")
    found = found_in(tmp_path, a=f"{POLYGON}\n5 0.1 0.1 0.5 0.1 0.5 0.5")
    assert [mark.label for mark in found.pictures[0].marks] == ["cat"]
    assert found.damaged == ["a.txt: class 5, but there are 2 names (0 to 1)"]


def test_quadrangles_in_the_middle_are_no_boxes_with_key_points(tmp_path: Path) -> None:
    line = "0 0.45 0.45 0.55 0.45 0.55 0.55 0.45 0.55"
    found = found_in(tmp_path / "guessed", a=line)
    assert [mark.outlines[0].kind for mark in found.pictures[0].marks] == ["box"]
    assert found.guesses == [KEYPOINTS]
    save(tmp_path / "told" / "data.yaml", "names: [cat]\n")
    found = found_in(tmp_path / "told", a=line)
    assert [mark.outlines[0].kind for mark in found.pictures[0].marks] == ["polygon"]
    assert found.guesses == []
    save(tmp_path / "pose" / "data.yaml", "names: [cat]\nkpt_shape: [2, 2]\n")
    assert found_in(tmp_path / "pose", a=line).pictures[0].marks[0].outlines[0].kind == "box"


def test_predicted_polygons_have_scores(tmp_path: Path) -> None:
    found = found_in(tmp_path, a=f"{POLYGON} 0.93\n1 0.5 0.5 0.2 0.2 0.7", b=f"{POLYGON} 1")
    assert (found.guesses, found.damaged) == ([SCORES], [])
    assert [len(mark.outlines[0].values) for mark in found.pictures[0].marks] == [6, 4]
    assert len(found_in(tmp_path / "wrong", a=f"{POLYGON} 0.93", b=f"{POLYGON} 1.4").damaged) == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("0 0.1 0.1 0.5 0.1 0.5 0.5 0.3", "a polygon has an odd count of numbers, 7"),
        ("0 0.1 0.1 0.5 nan 0.5 0.5", "finite coordinates"),
        ("cat 0.1 0.1 0.5 0.1 0.5 0.5", "finite coordinates"),
        ("0 0.1 0.1", "finite coordinates"),
    ],
)
def test_damaged_lines(tmp_path: Path, line: str, told: str) -> None:
    found = found_in(tmp_path, a=line, b=POLYGON)
    assert len(found.damaged) == 1
    assert told in found.damaged[0]


def test_other_texts_are_counted_and_pixels_refused(tmp_path: Path) -> None:
    found = found_in(tmp_path, b=POLYGON, notes="look here", readme="0 1 2")
    assert found.left_out == {NO_LABELS: ["notes.txt"]}
    with pytest.raises(DataError, match=r"1 label file in .* as if they were pixels: c\.txt"):
        found_in(tmp_path, c="0 10 10 50 10 50 50")
    with pytest.raises(DataError, match="holds no labels of YOLO"):
        found_in(tmp_path / "none", notes="look here")
