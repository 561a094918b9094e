"""Which mask belongs to which image, and masks that were read in the wrong format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.items import Item
from dapt.data.masks.mask_collections import (
    MaskCounts,
    check_convention,
    formats_that_fit,
)
from dapt.data.masks.mask_finder import MaskFinder, own_or_found
from dapt.errors import DataError
from helpers import fill


def item(path: Path, name: str, mask: Path | None = None) -> Item:
    return Item(path, 0, name, mask)


def test_a_mirrored_folder(tmp_path: Path) -> None:
    fill(tmp_path / "masks", "cat/1.png", "cat/2.JPG", "cat/3.txt", "4.png")
    finder = MaskFinder(tmp_path / "masks", "binary")
    for name, found in (
        ("cat/1.jpg", "cat/1.png"),
        ("cat/2.jpg", "cat/2.JPG"),
        ("cat/3.jpg", None),
        ("dog/4.jpg", None),
    ):
        expected = () if found is None else (tmp_path / "masks" / found,)
        assert finder.find(item(tmp_path / "photos" / name, name)) == expected, name


def test_collections_by_the_longest_end_of_the_path(tmp_path: Path) -> None:
    image = item(tmp_path / "data" / "images" / "cat" / "1.jpg", "images/cat/1.jpg")
    folder = tmp_path / "masks"
    fill(folder, "1.png")
    assert MaskFinder(folder, "dapt").find(image) == (folder / "1.png",)
    fill(folder, "cat/1.png")
    assert MaskFinder(folder, "dapt").find(image) == (folder / "cat/1.png",)
    fill(folder, "images/cat/1.png", "data/cat/1.png")
    assert MaskFinder(folder, "foreground").find(image) == (folder / "images/cat/1.png",)
    fill(folder, "images/cat/1.jpg")  # the image's own extension comes first
    assert MaskFinder(folder, "foreground").find(image) == (folder / "images/cat/1.jpg",)


@pytest.mark.parametrize("kind", ["binary", "dapt"])
def test_what_could_be_meant_twice_or_is_the_image(tmp_path: Path, kind) -> None:
    fill(tmp_path, "cat/1.png", "cat/1.bmp", "cat/2.png")
    finder = MaskFinder(tmp_path, kind)
    with pytest.raises(DataError, match=r"two mask files with one name: .*1\.bmp and .*1\.png"):
        finder.find(item(tmp_path / "photos" / "cat" / "1.jpg", "cat/1.jpg"))
    with pytest.raises(DataError, match="is that image itself"):
        finder.find(item(tmp_path / "cat" / "2.png", "cat/2.png"))


def test_one_mask_for_two_images(tmp_path: Path) -> None:
    fill(tmp_path / "masks", "1.png")
    images = [item(tmp_path / kind / "1.jpg", f"{kind}/1.jpg") for kind in ("cat", "dog")]
    with pytest.raises(DataError, match=r"images cat/1\.jpg and dog/1\.jpg would share the mask"):
        MaskFinder(tmp_path / "masks", "dapt").check(images)
    MaskFinder(tmp_path / "masks", "dapt").check([images[0], images[0]])
    with pytest.raises(DataError, match="would share the mask"):
        MaskFinder(tmp_path / "masks", "binary").check(images)  # a folder without sub-folders
    (tmp_path / "masks" / "cat").mkdir()
    MaskFinder(tmp_path / "masks", "binary").check(images)  # neither has one


def test_own_masks_or_those_of_a_folder(tmp_path: Path) -> None:
    image = item(tmp_path / "1.jpg", "1.jpg", tmp_path / "own.png")
    assert own_or_found(image, None) == (tmp_path / "own.png",)
    assert own_or_found(image, MaskFinder(tmp_path / "nowhere", "binary")) == ()


@pytest.mark.parametrize(
    ("counts", "wrong"),
    [
        (MaskCounts(), False),
        (MaskCounts(2, empty=2), True),
        (MaskCounts(2, empty=1, misread=1), False),  # few, and one is usable
        (MaskCounts(3, empty=1, misread=2), True),
        (MaskCounts(100, empty=60, full=34), False),
        (MaskCounts(100, empty=60, full=34, misread=1), True),
    ],
)
def test_from_95_percent_on_the_format_is_wrong(counts: MaskCounts, wrong: bool) -> None:
    assert counts.wrong_format is wrong


def trimaps(folder: Path, count: int = 4) -> list[Item]:
    """Photos' items, and masks of 1 (foreground), 2 and 3."""
    values = np.full((6, 6), 2, np.uint8)
    values[1:4, 1:4], values[5] = 1, 3
    folder.mkdir()
    for number in range(count):
        Image.fromarray(values).save(folder / f"{number}.png")
    return [item(folder.parent / "photos" / f"{number}.jpg", f"{number}.jpg") for number in range(count)]


def test_the_format_that_fits_is_named(tmp_path: Path) -> None:
    items = trimaps(tmp_path / "masks")
    assert formats_that_fit(items, tmp_path / "masks", "binary") == ["trimap"]
    check_convention(MaskCounts(4, empty=1), items, tmp_path / "masks", "binary")
    with pytest.raises(
        DataError, match=r"4 of 4 masks are of no use when they are read as 'binary': 4 empty, 0 full"
    ) as caught:
        check_convention(MaskCounts(4, empty=4), items, tmp_path / "masks", "binary")
    assert "--mask-format trimap" in caught.value.todo


def test_no_format_fits(tmp_path: Path) -> None:
    items = trimaps(tmp_path / "masks")
    for number in range(4):
        Image.new("L", (6, 6), 0).save(tmp_path / "masks" / f"{number}.png")
    with pytest.raises(DataError, match="No other --mask-format makes sense of them"):
        check_convention(MaskCounts(4, empty=3, misread=1), items, tmp_path / "masks", "labels")
    with pytest.raises(DataError, match="That is the format this data set brings"):
        check_convention(MaskCounts(4, empty=4), items, None, "trimap", own_kind="trimap")
