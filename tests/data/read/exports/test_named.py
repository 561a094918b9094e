"""Exports that are refused by their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.folder import read_folder
from dapt.errors import DataError
from helpers import fill


@pytest.mark.parametrize(
    ("files", "title"),
    [
        (["train/a.jpg", "train/_annotations.createml.json"], "a CreateML export"),
        (["a.jpg", "x.tfrecord"], "a TensorFlow export"),
        (["ds/img/a.jpg", "ds/ann/a.jpg.json", "meta.json"], "a Supervisely export"),
        (["images/a.jpg", "annotations.xml"], "a CVAT export"),
        (["a.jpg", "via_project.json"], "a VGG Image Annotator project"),
        (["train/a.jpg", "train/_annotations.csv"], "a detection export with boxes in CSV files"),
        (["a.jpg", "a.json", "b.jpg", "b.json"], "as LabelMe writes them"),
    ],
)
def test_title_and_way_out(tmp_path: Path, files: list[str], title: str) -> None:
    fill(tmp_path, *files)
    for path in tmp_path.rglob("*.json"):
        path.write_text("{}")
    with pytest.raises(DataError, match=title) as caught:
        read_folder(tmp_path)
    assert "COCO, YOLO or Pascal VOC" in str(caught.value)


def test_class_folders_are_none(tmp_path: Path) -> None:
    fill(tmp_path, "cat/a.jpg", "cat/a.json", "dog/b.jpg", "dog/b.json", "annotations.xml")
    assert read_folder(tmp_path).names == ("cat", "dog")
