"""ImageNet and its variants: class folders are compared with the names before a label is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from catalog_helpers import WNIDS, class_names_text, write
from dapt.data.catalog.base import CATALOG, Layout, Place, Request
from dapt.data.catalog.readers.imagenet import VariantReader, check_folders, scan
from dapt.errors import DataError
from helpers import fill

RENDITION = CATALOG.get("imagenet_r")
PAIR = [WNIDS[7], WNIDS[3]]


def test_images_by_class_then_by_name(tmp_path: Path) -> None:
    fill(tmp_path, "b/2.jpg", "b/10.jpg", "a/x.png", "a/notes.txt", "c/y.png")
    dataset = replace(RENDITION, layouts=(Layout("coop", "x", "images"),))
    items = scan(tmp_path, ["b", "a"], dataset, "val/")
    assert [(item.name, item.label) for item in items] == [
        ("images/val/b/10.jpg", 0),
        ("images/val/b/2.jpg", 0),
        ("images/val/a/x.png", 1),
    ]
    assert items[2].path == tmp_path / "a" / "x.png"
    (tmp_path / "d").mkdir()
    with pytest.raises(DataError, match=r"Class folders without images under .*: 2 \(d, e\)"):
        scan(tmp_path, ["a", "d", "e"], dataset, "")


def test_missing_and_unknown_class_folders(tmp_path: Path) -> None:
    check_folders([*WNIDS[:2], "other", "n1"], WNIDS[:2], tmp_path, RENDITION)
    with pytest.raises(DataError, match=rf"1 of 2 class folders are missing under {tmp_path}: {WNIDS[1]}"):
        check_folders(WNIDS[:1], WNIDS[:2], tmp_path, RENDITION)
    with pytest.raises(DataError, match=r"1000 of 1000 class folders are missing .* and 990 more"):
        check_folders([], WNIDS, tmp_path, RENDITION)
    with pytest.raises(DataError, match=rf"classnames.txt does not name: 1 \({WNIDS[2]}\)"):
        check_folders(WNIDS[:3], WNIDS[:2], tmp_path, RENDITION)
    fill(tmp_path, "a.JPEG", "b.JPEG")
    with pytest.raises(DataError, match=r"2 images lie directly in[\s\S]*sort them into one folder per class"):
        check_folders([], WNIDS[:2], tmp_path, RENDITION)


def place_of(root: Path) -> Place:
    write(root / "r" / "classnames.txt", class_names_text())
    return Place(Layout("coop", "r", "images"), root / "r", root / "r" / "images")


def test_a_variant_with_some_classes_numbers_them_anew(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    fill(place.images, *(f"{wnid}/0.jpg" for wnid in PAIR), "README/x.jpg")
    dataset = replace(RENDITION, classes=2, reader=VariantReader(some=True), layouts=(place.layout,))
    data = dataset.reader.read(dataset, place, Request(tmp_path))
    assert data.names == ("thing 3", "thing 7")
    assert [(item.name, item.label) for item in data.split("test")] == [
        (f"images/{WNIDS[3]}/0.jpg", 0),
        (f"images/{WNIDS[7]}/0.jpg", 1),
    ]
    assert data.split("train") == data.split("val") == ()
    three = replace(dataset, classes=3)
    with pytest.raises(DataError, match=r"has 2 class folders, .* has 3"):
        three.reader.read(three, place, Request(tmp_path))
    fill(place.images, "n00000001/0.jpg")
    with pytest.raises(DataError, match=r"does not name: 1 \(n00000001\)"):
        dataset.reader.read(dataset, place, Request(tmp_path))


def test_a_variant_with_folders_called_by_number_is_not_sorted_as_text(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    fill(place.images, *(f"{number}/0.jpg" for number in range(1000)))
    dataset = replace(RENDITION, classes=1000, reader=VariantReader(by_number=True), layouts=(place.layout,))
    data = dataset.reader.read(dataset, place, Request(tmp_path))
    assert [(item.name, item.label) for item in data.split("test")[2:11:8]] == [
        ("images/2/0.jpg", 2),
        ("images/10/0.jpg", 10),
    ]
    assert data.names[10] == "thing 10"
