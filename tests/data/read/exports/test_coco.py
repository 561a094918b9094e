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
    with pytest.raises(DataError, match=r"Photos that train/_annotations.coco.json names are not in .*: 1 .b.jpg"):
        read_folder(tmp_path)
    (tmp_path / "train" / "_annotations.coco.json").write_text("{")
    with pytest.raises(DataError, match=r"_annotations.coco.json cannot be read"):
        read_folder(tmp_path)


def test_class_folders_win_over_a_file_beside_them(tmp_path: Path) -> None:
    fill(tmp_path, "cat/a.jpg", "dog/b.jpg")
    coco(tmp_path / "coco.json", {"a.jpg": ["cat"], "b.jpg": ["dog", "cat"]})
    data = read_folder(tmp_path)
    assert data.layout.startswith("class folders")
    assert data.unused == {"texts and tables": ("coco.json",)}


def damaged(path: Path, **changed: Any) -> None:
    """A COCO file of cat and dog photographs in which parts are exchanged."""
    content: dict[str, Any] = {
        "images": [{"id": number, "file_name": f"{number}.jpg", "width": 4, "height": 4} for number in range(4)],
        "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
        "annotations": [{"image_id": number, "category_id": number % 2, "bbox": [0, 0, 1, 1]} for number in range(4)],
    }
    path.write_text(json.dumps(content | changed))


IMAGE, PLACE = {"id": 0, "file_name": "0.jpg"}, {"image_id": 0, "category_id": 0}


@pytest.mark.parametrize(
    "changed",
    [
        {"images": [IMAGE, 5]},
        {"images": [{"id": [1], "file_name": "0.jpg"}]},
        {"images": [{"file_name": "0.jpg"}]},
        {"images": [IMAGE, IMAGE]},
        {"images": [IMAGE | {"width": float("inf"), "height": 4}], "annotations": []},
        {"images": [IMAGE | {"width": 10**400, "height": 4}], "annotations": []},
        {"categories": [5]},
        {"categories": [{"id": [1], "name": "cat"}]},
        {"categories": [{"id": 0, "name": ["cat"]}]},
        {"annotations": [5]},
        {"annotations": [{"image_id": 0, "category_id": 7}]},
        {"annotations": [{"image_id": [0], "category_id": 0}]},
        {"annotations": [PLACE | {"bbox": ["a", 1, 2, 3]}]},
        {"annotations": [PLACE | {"bbox": [1, 2, 3]}]},
        {"annotations": [PLACE | {"bbox": 5}]},
        {"annotations": [PLACE | {"bbox": [0, 0, 1, float("nan")]}]},
        {"annotations": [PLACE | {"segmentation": {"counts": [1], "size": [3]}}]},
        {"annotations": [PLACE | {"segmentation": {"counts": 5, "size": [3, 3]}}]},
        {"annotations": [PLACE | {"segmentation": [5]}]},
        {"annotations": [PLACE | {"segmentation": "abc"}]},
    ],
)
def test_damaged_entries_are_refused_by_file(tmp_path: Path, changed: dict[str, Any]) -> None:
    fill(tmp_path / "images", *(f"{number}.jpg" for number in range(4)))
    damaged(tmp_path / "coco.json", **changed)
    with pytest.raises(DataError, match=r"coco\.json has .*\n?.*Export the data again"):
        read_folder(tmp_path)


def test_ids_may_be_texts(tmp_path: Path) -> None:
    fill(tmp_path / "images", "0.jpg", "1.jpg")
    damaged(
        tmp_path / "coco.json",
        images=[{"id": "a", "file_name": "0.jpg"}, {"id": "1", "file_name": "1.jpg"}],
        categories=[{"id": 7, "name": "dog"}, {"id": "x", "name": "cat"}],
        annotations=[{"image_id": "a", "category_id": "x"}, {"image_id": 1, "category_id": 7}],
    )
    data = read_folder(tmp_path)
    assert {item.name: data.names[item.label] for part in data.splits.values() for item in part} == {
        "images/0.jpg": "cat",
        "images/1.jpg": "dog",
    }


def test_another_file_of_the_name_is_not_the_photo(tmp_path: Path) -> None:
    fill(tmp_path, "images/b/0.jpg", "images/b/1.jpg")
    coco(tmp_path / "coco.json", {"images/a/0.jpg": ["cat"], "images/b/1.jpg": ["dog"]})
    with pytest.raises(DataError, match=r"Photos that coco.json names are not in .*: 1 .images/a/0.jpg"):
        read_folder(tmp_path)
    found = read_folder(tmp_path, skip_bad=True)
    assert [item.name for item in found.chosen("all")] == ["images/b/1.jpg"]
    assert any("1 photos are named and not there" in remark for remark in found.guessed)


def test_of_another_split_neither(tmp_path: Path) -> None:
    fill(tmp_path, "train/a.jpg", "test/b.jpg", "test/c.jpg")
    coco(tmp_path / "train/_annotations.coco.json", {"a.jpg": ["cat"], "b.jpg": ["dog"]})
    coco(tmp_path / "test/_annotations.coco.json", {"c.jpg": ["cat"]})
    with pytest.raises(DataError, match=r"are not in .*: 1 .b.jpg"):
        read_folder(tmp_path)


def test_paths_of_another_machine(tmp_path: Path) -> None:
    fill(tmp_path, "images/a/0.jpg", "images/b/0.jpg")
    coco(tmp_path / "coco.json", {"C:\\me\\data\\images\\a\\0.jpg": ["cat"], "./b/0.jpg": ["dog"]})
    assert {item.name: item.label for item in read_folder(tmp_path).chosen("all")} == {
        "images/a/0.jpg": 0,
        "images/b/0.jpg": 1,
    }


def test_one_photo_twice_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg", "images/b.jpg")
    coco(tmp_path / "coco.json", {"a.jpg": ["cat"], "images/a.jpg": ["dog"], "b.jpg": ["cat"]})
    with pytest.raises(DataError, match=r"names the photo images/a.jpg twice"):
        read_folder(tmp_path)


def test_one_photo_in_two_splits_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg", "images/b.jpg")
    coco(tmp_path / "instances_train.json", {"a.jpg": ["cat"], "b.jpg": ["dog"]})
    coco(tmp_path / "instances_val.json", {"b.jpg": ["dog"]})
    with pytest.raises(DataError, match=r"images/b.jpg is named in two files .* \(train and val\)"):
        read_folder(tmp_path)


def test_places_of_two_files_of_one_split_are_united(tmp_path: Path) -> None:
    fill(tmp_path / "images", *(f"{number}.jpg" for number in range(4)))
    damaged(tmp_path / "instances.json")
    damaged(tmp_path / "keypoints.json", annotations=[PLACE | {"bbox": [2, 2, 1, 1]}])
    data = read_folder(tmp_path)
    assert [len(data.outlines[f"images/{number}.jpg"]) for number in range(4)] == [2, 1, 1, 1]
