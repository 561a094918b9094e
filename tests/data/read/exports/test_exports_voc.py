"""XML files of Pascal VOC."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.outlines import UNTOLD, Outline
from dapt.data.read.exports.base import Asked
from dapt.data.read.exports.voc import read_voc
from dapt.data.read.folder import read_folder
from dapt.data.read.tree import look_through
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


def boxed(path: Path, box: str, size: str = "<width>30</width><height>20</height>") -> None:
    path.write_text(
        f"<annotation><size>{size}</size><object><name>cat</name><bndbox>{box}</bndbox></object></annotation>"
    )


BOX = "<xmin>1</xmin><ymin>3</ymin><xmax>20</xmax><ymax>4</ymax>"


def test_boxes_count_from_one_and_hold_their_last_pixel(tmp_path: Path) -> None:
    fill(tmp_path, "0.jpg", "1.jpg", "2.jpg")
    boxed(tmp_path / "0.xml", BOX)
    boxed(tmp_path / "1.xml", BOX, "<width>0</width><height>0</height>")
    boxed(tmp_path / "2.xml", BOX.replace(">1<", ">0<"), "")
    outlines = read_folder(tmp_path).outlines
    assert outlines["0.jpg"] == (Outline("box", (0, 2, 20, 4), (30, 20)),)
    assert outlines["1.jpg"] == (Outline("box", (0, 2, 20, 4), UNTOLD),)
    assert outlines["2.jpg"] == (Outline("box", (0, 2, 20, 4), UNTOLD),)


@pytest.mark.parametrize("number", ["nan", "inf", "a", "1e30", ""])
def test_numbers_are_numbers(tmp_path: Path, number: str) -> None:
    fill(tmp_path, "0.jpg", "1.jpg")
    boxed(tmp_path / "0.xml", BOX.replace("20", number))
    with pytest.raises(DataError, match=r"0\.xml has a place or size that is not written as numbers"):
        read_folder(tmp_path)


def test_a_file_beside_a_photo_is_of_that_one(tmp_path: Path) -> None:
    fill(tmp_path, "train/k.jpg", "train/l.jpg", "test/k.jpg", "test/m.jpg")
    for name, shown in (("train/k", "cat"), ("train/l", "dog"), ("test/m", "dog")):
        annotate(tmp_path / f"{name}.xml", shown)
    data = read_folder(tmp_path)
    assert {item.name: item.label for item in data.chosen("all")} == {
        "train/k.jpg": 0,
        "train/l.jpg": 1,
        "test/k.jpg": -1,
        "test/m.jpg": 1,
    }


def test_photos_and_files_of_one_name_belong_together_by_folder(tmp_path: Path) -> None:
    for split, shown in (("train", "cat"), ("test", "dog")):
        fill(tmp_path, f"JPEGImages/{split}/k.jpg")
        annotate(tmp_path / "Annotations" / split / "k.xml", shown)
    assert [item.label for split in ("train", "test") for item in read_folder(tmp_path).split(split)] == [0, 1]


def test_one_file_is_not_of_two_photos(tmp_path: Path) -> None:
    fill(tmp_path, "images/a/k.jpg", "images/b/k.jpg", "images/b/l.jpg")
    annotate(tmp_path / "xml" / "k.xml", "cat")
    annotate(tmp_path / "xml" / "l.xml", "dog")
    tree = look_through(tmp_path)
    export = read_voc(tree, tree.pictures, Asked())
    assert export is not None
    assert export.shown == {"images/a/k.jpg": (), "images/b/k.jpg": (), "images/b/l.jpg": (0,)}
    assert export.files == ["xml/l.xml"]


@pytest.mark.parametrize("val", [None, "3\n"])
def test_trainval_is_train_where_there_is_none(tmp_path: Path, val: str | None) -> None:
    lists = tmp_path / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for number in range(6):
        fill(tmp_path, f"JPEGImages/{number}.jpg")
        annotate(tmp_path / "Annotations" / f"{number}.xml", ("cat", "dog")[number % 2])
    for name, text in (("trainval", "0\n1\n2\n3\n"), ("test", "4\n"), ("val", val)):
        if text is not None:
            (lists / f"{name}.txt").write_text(text)
    data = read_folder(tmp_path)
    assert {split: [item.name[-5] for item in items] for split, items in data.splits.items()} == {
        "train": ["0", "1", "2", "3"] if val is None else ["0", "1", "2"],
        **({} if val is None else {"val": ["3"]}),
        "test": ["4"],
    }
    assert data.unused["in none of the lists of splits"] == ("JPEGImages/5.jpg",)
