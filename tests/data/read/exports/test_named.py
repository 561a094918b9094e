"""Exports that are refused by their name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.read.folder import read_folder
from dapt.data.resolve import load_data
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


PHOTOS = [f"{number}.jpg" for number in range(4)]
RESULT = [{"value": {"choices": ["cat"]}, "type": "choices"}]
JSON = {
    "captions in the form of COCO": {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(PHOTOS)],
        "annotations": [{"image_id": number, "caption": "a cat"} for number in range(4)],
    },
    "Label Studio": [
        {"id": 1, "annotations": [{"id": 1, "result": RESULT}], "data": {"image": f"/data/upload/1/{name}"}}
        for name in PHOTOS
    ],
    "Label Studio export": [
        {"image": f"/data/upload/1/{name}", "id": 1, "choice": "cat", "annotator": 1, "lead_time": 2.5}
        for name in PHOTOS
    ],
}


@pytest.mark.parametrize("title", JSON)
def test_json_files_of_tools(tmp_path: Path, title: str) -> None:
    fill(tmp_path / "images", *PHOTOS)
    (tmp_path / "project.json").write_text(json.dumps(JSON[title]))
    with pytest.raises(DataError, match=f"{title}.*not read"):
        load_data(str(tmp_path))
    for number, name in enumerate(PHOTOS):
        fill(tmp_path / "images" / ("cat", "dog")[number % 2], name)
        (tmp_path / "images" / name).unlink()
    assert load_data(str(tmp_path)).names == ("cat", "dog")


@pytest.mark.parametrize(
    ("file", "head", "title"),
    [
        (
            "train/_classes.csv",
            "Pixel Value, Class\n0, background\n1, cat\n",
            "semantic segmentation export of Roboflow",
        ),
        ("x-bbox.csv", "ImageID,Source,LabelName,Confidence,XMin\n0,a,/m/1,1,0\n1,a,/m/2,1,0\n", "Open Images"),
    ],
)
def test_tables_of_tools(tmp_path: Path, file: str, head: str, title: str) -> None:
    fill(tmp_path / "train", *PHOTOS, "0_mask.png", "1_mask.png")
    (tmp_path / file).write_text(head)
    with pytest.raises(DataError, match=f"{title}.*not read"):
        load_data(str(tmp_path))
