"""COCO files, as COCO itself, Roboflow and FiftyOne lay them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dapt.data.read.folder import read_folder
from dapt.errors import DataError
from helpers import fill


def coco(path: Path, shown: dict[str, list[str]], names: tuple[str, ...] = ("things", "cat", "dog")) -> None:
    """A COCO file in which photographs show classes."""
    content: dict[str, Any] = {
        "images": [{"id": number, "file_name": name} for number, name in enumerate(shown)],
        "categories": [{"id": 10 + number, "name": name} for number, name in enumerate(names)],
        "annotations": [
            {"id": 0, "image_id": number, "category_id": 10 + names.index(each), "bbox": [0, 0, 1, 1]}
            for number, classes in enumerate(shown.values())
            for each in classes
        ],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


LAYOUTS = {
    "roboflow": ("{split}/_annotations.coco.json", "{split}/{name}"),
    "coco": ("annotations/instances_{split}2017.json", "{split}2017/{name}"),
    "images": ("annotations/{split}.json", "images/{split}/{name}"),
    "fiftyone": ("{split}/labels.json", "{split}/data/{name}"),
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_one_class_per_photo(tmp_path: Path, kind: str) -> None:
    file, place = LAYOUTS[kind]
    for split in ("train", "val"):
        shown = {f"{split}_{number}.jpg": ["cat", "cat"] if number % 2 else ["dog"] for number in range(4)}
        coco(tmp_path / file.format(split=split), shown)
        fill(tmp_path, *(place.format(split=split, name=name) for name in shown))
    data = read_folder(tmp_path)
    assert data.names == ("cat", "dog")
    assert not data.multi_label
    assert {split: [item.label for item in items] for split, items in data.splits.items()} == {
        "train": [1, 0, 1, 0],
        "val": [1, 0, 1, 0],
    }
    assert data.layout == "COCO export, one class per photo"
    assert "Classes without any photo are left out: things." in data.guessed
    assert [len(names) for names in data.unused.values()] == [2]


def test_several_classes_per_photo_and_no_split(tmp_path: Path) -> None:
    shown = {f"{number}.jpg": ["cat", "dog"] if number < 3 else ["cat"] for number in range(10)}
    shown["none.jpg"] = []
    coco(tmp_path / "result.json", shown)
    fill(tmp_path / "images", *shown, "unknown.jpg")
    data = read_folder(tmp_path)
    assert data.multi_label
    items = {item.name: item for part in data.splits.values() for item in part}
    assert items["images/0.jpg"].labels == (0, 1)
    assert items["images/9.jpg"].labels == (0,)
    assert (items["images/none.jpg"].label, items["images/none.jpg"].labels) == (-1, ())
    assert data.unused["not in the annotations"] == ("images/unknown.jpg",)
    assert set(data.splits) == {"train", "val", "test"}


def test_damage_is_named(tmp_path: Path) -> None:
    coco(tmp_path / "train" / "_annotations.coco.json", {"a.jpg": ["cat"], "b.jpg": ["dog"]})
    fill(tmp_path, "train/a.jpg")
    with pytest.raises(DataError, match=r"1 photo that train/_annotations.coco.json names is not in .*: b.jpg"):
        read_folder(tmp_path)
    (tmp_path / "train" / "_annotations.coco.json").write_text("{")
    with pytest.raises(DataError, match=r"_annotations.coco.json cannot be read"):
        read_folder(tmp_path)


def test_class_folders_win_over_a_file_beside_them(tmp_path: Path) -> None:
    fill(tmp_path, "cat/a.jpg", "dog/b.jpg")
    coco(tmp_path / "coco.json", {"a.jpg": ["dog"], "b.jpg": ["dog"]})
    data = read_folder(tmp_path)
    assert data.layout.startswith("class folders")
    assert data.unused == {"texts and tables": ("coco.json",)}
