"""XML files of Pascal VOC."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.folder import read_folder
from dapt.errors import DataError
from helpers import fill


def annotate(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    objects = "".join(f"<object><name>{name}</name></object>" for name in names)
    path.write_text(f"<annotation><filename>x</filename>{objects}</annotation>")


def test_lists_tell_the_splits(tmp_path: Path) -> None:
    for number in range(6):
        fill(tmp_path, f"JPEGImages/{number}.jpg", f"SegmentationClass/{number}.png")
        annotate(tmp_path / "Annotations" / f"{number}.xml", *(["cat", "dog"] if number == 0 else ["dog"]))
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    (lists / "train.txt").write_text("0\n1\n2\n")
    (lists / "val.txt").write_text("3\n4\n")
    (lists / "trainval.txt").write_text("0\n1\n2\n3\n4\n")
    data = read_folder(tmp_path)
    assert data.names == ("cat", "dog")
    assert data.multi_label
    assert {split: [item.name[-5] for item in items] for split, items in data.splits.items()} == {
        "train": ["0", "1", "2"],
        "val": ["3", "4"],
    }
    assert data.split("train")[0].labels == (0, 1)
    assert data.split("train")[0].mask == tmp_path / "SegmentationClass/0.png"
    assert data.mask_format == "labels"
    assert data.unused["in none of the lists of splits"] == ("JPEGImages/5.jpg",)


def test_files_beside_the_photos(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for number, name in enumerate(("cat", "dog")):
            fill(tmp_path, f"{split}/{number}.jpg")
            annotate(tmp_path / split / f"{number}.xml", name, name)
    data = read_folder(tmp_path)
    assert (data.layout, data.multi_label) == ("Pascal VOC export, one class per photo", False)
    assert [[item.label for item in data.split(split)] for split in ("train", "test")] == [[0, 1], [0, 1]]


def test_refused_by_name(tmp_path: Path) -> None:
    fill(tmp_path, "JPEGImages/a.jpg", "JPEGImages/b.jpg")
    with pytest.raises(DataError, match="the folders of Pascal VOC"):
        read_folder(tmp_path)
    annotate(tmp_path / "Annotations" / "a.xml", "cat")
    (tmp_path / "Annotations" / "b.xml").write_text("<annotation>")
    with pytest.raises(DataError, match=r"b\.xml cannot be read"):
        read_folder(tmp_path)
