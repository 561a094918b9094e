"""Masks of catalog data: which folder mirrors the images, and which file belongs to which image."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dapt.data.catalog.base import CATALOG, Dataset, Layout, Place, Request
from dapt.data.catalog.mask_folders import collection_masks, with_masks
from dapt.data.catalog.places import require_place
from dapt.data.items import ImageSet, Item
from dapt.errors import DataError
from helpers import fill

DTD = replace(CATALOG.get("dtd"), layouts=(Layout("coop", "dtd", "images"),), own_masks=None, own_mask_folder="")


def placed(root: Path, dataset: Dataset = DTD) -> Place:
    fill(root / "dtd" / "images", "a/0.jpg", "a/1.jpg")
    return require_place(dataset, root)


def images(place: Place) -> ImageSet:
    items = tuple(Item(place.images / f"a/{n}.jpg", 0, f"images/a/{n}.jpg") for n in range(2))
    return ImageSet("dtd", place.root, ("a",), {"train": (), "val": items, "test": items})


@pytest.mark.parametrize("folder", ["dtd/mask/images", "dtd/mask/dtd/images", "dtd/mask/mask/images"])
def test_the_folder_that_mirrors_the_images(tmp_path: Path, folder: str) -> None:
    place = placed(tmp_path)
    assert collection_masks(DTD, place, tmp_path) is None
    (tmp_path / "dtd" / "mask" / "other").mkdir(parents=True)
    assert collection_masks(DTD, place, tmp_path) is None
    (tmp_path / folder).mkdir(parents=True)
    assert collection_masks(DTD, place, tmp_path) == tmp_path / folder


def test_masks_by_the_path_of_their_image(tmp_path: Path) -> None:
    place = placed(tmp_path)
    fill(tmp_path / "dtd" / "mask" / "images", "a/0.png", "a/.1.png", "a/1.txt")
    found = with_masks(images(place), DTD, place, Request(tmp_path))
    assert found.mask_format == "binary"
    assert [item.mask for item in found.split("test")] == [tmp_path / "dtd/mask/images/a/0.png", None]
    assert found.split("val") is found.split("test")


def test_a_folder_without_any_mask_is_none(tmp_path: Path) -> None:
    place = placed(tmp_path)
    (tmp_path / "dtd" / "mask" / "images").mkdir(parents=True)
    assert with_masks(images(place), DTD, place, Request(tmp_path)) == images(place)


def test_two_files_for_one_image(tmp_path: Path) -> None:
    place = placed(tmp_path)
    fill(tmp_path / "dtd" / "mask" / "images", "a/0.png", "a/0.bmp")
    with pytest.raises(DataError, match=r"two mask files[\s\S]*0\.bmp and .*0\.png"):
        with_masks(images(place), DTD, place, Request(tmp_path))
    fill(tmp_path / "dtd" / "mask" / "images", "a/0.jpg")  # the image's own extension comes first
    found = with_masks(images(place), DTD, place, Request(tmp_path))
    assert found.split("test")[0].mask == tmp_path / "dtd/mask/images/a/0.jpg"


def test_masks_of_the_data_set_itself_come_after_the_collections(tmp_path: Path) -> None:
    own = replace(DTD, own_masks="trimap", own_mask_folder="annotations/trimaps")
    place = placed(tmp_path, own)
    fill(tmp_path / "dtd" / "annotations" / "trimaps", "1.png")
    found = with_masks(images(place), own, place, Request(tmp_path))
    assert found.mask_format == "trimap"
    assert [item.mask for item in found.split("val")] == [None, tmp_path / "dtd/annotations/trimaps/1.png"]
    fill(tmp_path / "dtd" / "mask" / "images", "a/0.png")
    found = with_masks(images(place), own, place, Request(tmp_path))
    assert found.mask_format == "binary"
    assert [item.mask for item in found.split("val")] == [tmp_path / "dtd/mask/images/a/0.png", None]
