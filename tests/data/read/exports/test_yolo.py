"""YOLO label files."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.folder import read_folder
from dapt.errors import DataError
from helpers import fill

CAT, DOG = "0 0.5 0.5 0.2 0.2\n", "1 0.1 0.1 0.2 0.1 0.3 0.4\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        fill(root, name)
        (root / name).write_text(text)


@pytest.mark.parametrize("place", ["{split}/{kind}/{name}", "{kind}/{split}/{name}"])
def test_images_and_labels(tmp_path: Path, place: str) -> None:
    for split in ("train", "valid"):
        for number in range(4):
            fill(tmp_path, place.format(split=split, kind="images", name=f"{number}.jpg"))
            label = place.format(split=split, kind="labels", name=f"{number}.txt")
            write(tmp_path, {label: CAT * 2 if number % 2 else DOG})
    write(tmp_path, {"data.yaml": "train: ../train/images\nnc: 2\nnames: ['cat', 'big_dog']\n"})
    data = read_folder(tmp_path)
    assert data.names == ("cat", "big dog")
    assert {split: [item.label for item in items] for split, items in data.splits.items()} == {
        "train": [1, 0, 1, 0],
        "val": [1, 0, 1, 0],
    }
    assert not data.multi_label
    assert data.layout == "YOLO export, one class per photo"
    assert len(data.unused["annotations, which are read"]) == 9


def test_darknet(tmp_path: Path) -> None:
    for number in range(10):
        fill(tmp_path, f"obj/{number}.jpg")
        write(tmp_path, {f"obj/{number}.txt": CAT + DOG if number < 5 else ""})
    write(tmp_path, {"obj.names": "cat\ndog\n"})
    data = read_folder(tmp_path)
    assert data.multi_label
    items = {item.name: item.labels for part in data.splits.values() for item in part}
    assert (items["obj/0.jpg"], items["obj/9.jpg"]) == ((0, 1), ())
    assert "5 photos have no object, so they have no class." in data.guessed


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"images/a.jpg": "", "images/b.jpg": "", "labels/a.txt": CAT, "labels/b.txt": DOG})
    with pytest.raises(DataError, match="without the names of its classes"):
        read_folder(tmp_path)
    write(tmp_path, {"data.yaml": "names: {0: cat}"})
    with pytest.raises(DataError, match=r"names class 1, but data\.yaml has 1 names"):
        read_folder(tmp_path)
    write(tmp_path, {"data.yaml": "names: {0: cat, 1: dog}", "labels/b.txt": "dog"})
    with pytest.raises(DataError, match=r"do not have lines of a class number and coordinates: labels/b\.txt"):
        read_folder(tmp_path)
    write(tmp_path, {"labels/a.txt": "a cat", "labels/b.txt": "a dog"})
    with pytest.raises(DataError, match="images has no class folders"):  # captions are no labels
        read_folder(tmp_path)
