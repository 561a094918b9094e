"""CVAT's shapes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.base import NO_AREA, Asked, Found
from dapt.data.mask_imports.drawn_marks import draw_marks
from dapt.data.mask_imports.formats.cvat import CvatImport
from dapt.data.mask_imports.source import Source
from dapt.data.masks.drawn import Shape
from dapt.errors import DataError
from mask_exports import SIZE, cvat, cvat_image, save, true_mask


def found_in(folder: Path, shapes: str, size: tuple[int, int] = SIZE) -> Found:
    """What is found in a file of one image."""
    save(folder / "annotations.xml", cvat(cvat_image(0, "a.jpg", shapes, size)))
    return CvatImport().read(Source(folder), Asked())


def mask_in(folder: Path, shapes: str) -> np.ndarray:
    """Its mask."""
    found = found_in(folder, shapes)
    assert found.damaged == []
    return draw_marks(found.pictures[0].marks, Shape((SIZE[1], SIZE[0])), Item(Path("a.jpg"), 0, "a.jpg"))[0]


def test_boxes_also_turned(tmp_path: Path) -> None:
    place = 'xtl="4" ytl="5" xbr="20" ybr="15"'
    assert (mask_in(tmp_path / "a", f'<box label="cat" {place}/>') == true_mask((4, 5, 20, 15))).all()
    turned = mask_in(tmp_path / "b", f'<box label="cat" {place} rotation="90.0"/>')
    assert (turned == true_mask((7, 2, 17, 18))).all(), "about its middle"


def test_ellipses(tmp_path: Path) -> None:
    mask = mask_in(tmp_path, '<ellipse label="cat" cx="20" cy="15" rx="10" ry="5"/>')
    y, x = np.mgrid[:30, :40] + 0.5
    assert (mask == (((x - 20) / 10) ** 2 + ((y - 15) / 5) ** 2 < 1)).all()


def test_masks_run_along_rows(tmp_path: Path) -> None:
    mask = mask_in(tmp_path / "a", '<mask label="cat" rle="1, 2, 4, 1, 1" left="3" top="4" width="3" height="3"/>')
    assert np.argwhere(mask).tolist() == [[4, 4], [4, 5], [6, 4]]
    beyond = mask_in(tmp_path / "b", '<mask label="cat" rle="0,9" left="38" top="-1" width="3" height="3"/>')
    assert np.argwhere(beyond).tolist() == [[0, 38], [0, 39], [1, 38], [1, 39]]


@pytest.mark.parametrize(
    ("shape", "told"),
    [
        ('<polygon label="cat" points="1,1;a,1;9,9"/>', "its points are no numbers"),
        ('<polygon label="cat" points="1,1;nan,1;9,9"/>', "no finite numbers"),
        ('<polygon label="cat" points="1,1;5;9,9"/>', "odd count of numbers, 5"),
        ('<box label="cat" xtl="4" ytl="5" xbr="20"/>', "it has no ybr"),
        ('<box label="cat" xtl="4" ytl="x" xbr="20" ybr="9"/>', "its ytl, 'x', is no number"),
        ('<ellipse label="cat" cx="inf" cy="1" rx="1" ry="1"/>', "its cx, 'inf', is no number"),
        ('<mask label="cat" rle="1,2" left="0" top="0" width="3" height="3"/>', "run lengths fill 3 pixels, not 3 x 3"),
        ('<mask label="cat" rle="10,-1" left="0" top="0" width="3" height="3"/>', "no numbers of pixels"),
        ('<mask label="cat" rle="0,9" left="0" top="0" width="99999" height="99999"/>', "no numbers of pixels"),
        ('<mask label="cat" rle="a" left="0" top="0" width="3" height="3"/>', "run lengths are no numbers"),
        ('<spiral label="cat"/>', "this kind of shape is not known"),
    ],
)
def test_damaged_shapes(tmp_path: Path, shape: str, told: str) -> None:
    found = found_in(tmp_path, f'{shape}<polygon label="cat" points="1,1;5,1;5,5"/>')
    assert len(found.damaged) == 1
    assert told in found.damaged[0]
    assert len(found.pictures[0].marks) == 1


def test_what_has_no_area(tmp_path: Path) -> None:
    shapes = '<polyline label="cat" points="1,1;5,1"/><points label="dog" points="1,1"/><tag label="sunny"/>'
    found = found_in(tmp_path, shapes)
    assert found.left_out == {NO_AREA: ["a.jpg", "a.jpg"]}
    assert found.damaged == []
    assert list(found.labels) == ["cat", "dog"]
    unsized = found_in(tmp_path / "b", '<mask label="cat" rle="0,9" left="0" top="0" width="3" height="3"/>', (0, 0))
    assert "does not tell the size" in unsized.damaged[0]


def test_subsets_of_a_project_tell_pictures_apart(tmp_path: Path) -> None:
    image = cvat_image(0, "a.jpg", '<polygon label="cat" points="1,1;9,1;9,9"/>')
    images = "".join(image.replace("<image", f'<image subset="{subset}"') for subset in ("Train", "Test", "default"))
    save(tmp_path / "annotations.xml", cvat(images))
    found = CvatImport().read(Source(tmp_path), Asked())
    assert [picture.names for picture in found.pictures] == [
        ("Train/a.jpg", "a.jpg"),
        ("Test/a.jpg", "a.jpg"),
        ("a.jpg",),
    ]


def test_videos_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.xml", cvat('<track id="0" label="cat"><box frame="0"/></track>'))
    with pytest.raises(DataError, match=r"'CVAT for video'.*\n.*'CVAT for images 1.1'"):
        CvatImport().read(Source(tmp_path), Asked())
    save(tmp_path / "a.xml", "<annotation/>")
    with pytest.raises(DataError, match="holds no XML of CVAT"):
        CvatImport().read(Source(tmp_path), Asked())
