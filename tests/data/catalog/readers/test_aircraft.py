"""FGVC Aircraft: the official lists, read as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog_helpers import aircraft, write
from dapt.data.catalog.base import Request
from dapt.data.catalog.places import require_place
from dapt.data.items import ImageSet
from dapt.errors import DataError


def read(root: Path) -> ImageSet:
    dataset = aircraft_of(root)
    return dataset.reader.read(dataset, require_place(dataset, root), Request(root))


def aircraft_of(root: Path):
    from dapt.data.catalog.base import CATALOG

    return CATALOG.get("fgvc_aircraft")


def test_ids_keep_their_zeros_and_labels_are_lines(tmp_path: Path) -> None:
    folder = tmp_path / aircraft(tmp_path).folder
    write(folder / "variants.txt", "707-320\n727-200\nA300B4_x\n")
    for name in ("train", "val", "test"):
        write(folder / f"images_variant_{name}.txt", "0034310 A300B4_x\r\n\r\n0034311 707-320\r\n")
    data = read(tmp_path)
    assert data.names == ("707-320", "727-200", "A300B4 x")
    found = [(item.name, item.label) for item in data.split("val")]
    assert found == [("images/0034310.jpg", 2), ("images/0034311.jpg", 0)]
    assert data.split("val")[0].path == folder / "images" / "0034310.jpg"


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("variants.txt", None, "variants.txt of .* is missing in"),
        ("variants.txt", "\n \n", "variants.txt is empty"),
        ("variants.txt", "A300B4\nA300B4\n", "names a variant twice"),
        ("images_variant_val.txt", "12a A300B4\n", "line 1: '12a' is not the number of an image"),
        ("images_variant_val.txt", "0034310 707-320\n0034310\n", "line 2: the variant '' is not in variants.txt"),
        ("images_variant_test.txt", "0034310 a300b4\n", "the variant 'a300b4' is not in variants.txt"),
        ("images_variant_test.txt", b"\xff\xfe", "cannot be read"),
    ],
)
def test_lists_that_are_damaged(tmp_path: Path, file: str, content: str | bytes | None, message: str) -> None:
    path = tmp_path / aircraft(tmp_path).folder / file
    path.unlink()
    if content is not None:
        write(path, content)
    with pytest.raises(DataError, match=message):
        read(tmp_path)
