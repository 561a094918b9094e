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
    assert len(data.unused["with annotations"]) == 9


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


def flat(root: Path, *lines: str, about: str = "names: [cat, dog]", file: str = "data.yaml") -> None:
    """An export with a photograph for each of the label texts."""
    for number, text in enumerate(lines):
        fill(root, f"images/{number}.jpg")
        write(root, {f"labels/{number}.txt": text})
    write(root, {file: about})


def splits(root: Path) -> dict[str, list[str]]:
    return {split: [item.name[-5] for item in items] for split, items in read_folder(root).splits.items()}


DARKNET = {
    "data/train.txt": "data/obj/0.jpg\nC:\\me\\obj\\1.jpg\n",
    "data/valid.txt": "/content/obj/2.jpg\n./obj/3.jpg",
}


@pytest.mark.parametrize("data", [None, "classes = 2\ntrain = data/train.txt\nvalid = data/valid.txt\nnames = x"])
def test_lists_of_darknet_tell_the_splits(tmp_path: Path, data: str | None) -> None:
    for number in range(5):
        fill(tmp_path, f"obj/{number}.jpg")
        write(tmp_path, {f"obj/{number}.txt": (CAT, DOG)[number % 2]})
    write(tmp_path, {"obj.names": "cat\ndog\n", **DARKNET, **({} if data is None else {"obj.data": data})})
    assert splits(tmp_path) == {"train": ["0", "1"], "val": ["2", "3"]}
    assert read_folder(tmp_path).unused["in none of the lists of splits"] == ("obj/4.jpg",)
    write(tmp_path, {"data/valid.txt": "obj/1.jpg\nobj/9.jpg"})
    with pytest.raises(DataError, match=r"obj/1\.jpg of .* is in two splits of its export, train and val"):
        read_folder(tmp_path)
    write(tmp_path, {"data/valid.txt": "obj/2.jpg\nobj/9.jpg"})
    assert "Lists of splits name photos that are not there: 1 (obj/9.jpg)." in read_folder(tmp_path).guessed


@pytest.mark.parametrize("about", ["train: images/one\nval: [images/two]", "train: ../images/one/\nval: /x/images/two"])
def test_folders_named_in_the_yaml_are_the_splits(tmp_path: Path, about: str) -> None:
    for number in range(6):
        fill(tmp_path, f"images/{'one' if number < 4 else 'two'}/{number}.jpg")
        write(tmp_path, {f"labels/{'one' if number < 4 else 'two'}/{number}.txt": (CAT, DOG)[number % 2]})
    write(tmp_path, {"data.yaml": f"names: [cat, dog]\n{about}\ntest: images/three"})
    assert splits(tmp_path) == {"train": ["0", "1", "2", "3"], "val": ["4", "5"]}
    assert "There are no photos in images/three, which is named for the split test." in read_folder(tmp_path).guessed
    write(tmp_path, {"data.yaml": "names: [cat, dog]\ntrain: images/one\nval: images/one"})
    with pytest.raises(DataError, match="is in two splits"):
        read_folder(tmp_path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("0 0.5 0.5 0.4 0.4 0.4 0.4 2 0.6 0.6 1\n", "1 0.5 0.5 0.4 0.4 0 0 0 0.6 0.6 1\n"),
        ("0 0.5 0.5 0.4 0.4 0.4 0.4 0.6 0.6\n", "1 0.5 0.5 0.4 0.4 0.5 0.5 0.6 0.6\n"),
    ],
)
def test_key_points_are_no_corners(tmp_path: Path, first: str, second: str) -> None:
    flat(tmp_path, first, second)
    assert {each.kind for found in read_folder(tmp_path).outlines.values() for each in found} == {"box"}


def test_four_corners_are_a_polygon_unless_the_yaml_says_key_points(tmp_path: Path) -> None:
    corners = "0 0.1 0.1 0.5 0.1 0.5 0.4 0.1 0.4\n"
    flat(tmp_path, corners, corners.replace("0 ", "1 ", 1))
    assert {each.kind for found in read_folder(tmp_path).outlines.values() for each in found} == {"polygon"}
    write(tmp_path, {"data.yaml": "names: [cat, dog]\nkpt_shape: [2, 2]"})
    assert {each.kind for found in read_folder(tmp_path).outlines.values() for each in found} == {"box"}


def test_pixels_are_refused(tmp_path: Path) -> None:
    flat(tmp_path, CAT, "1 320 240 50 60\n")
    with pytest.raises(DataError, match=r"no shares of the picture, .* as if they were pixels: labels/1\.txt"):
        read_folder(tmp_path)


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_numbers_are_finite(tmp_path: Path, number: str) -> None:
    flat(tmp_path, CAT, f"1 0.5 {number} 0.1 0.1\n")
    with pytest.raises(DataError, match=r"do not have lines of .*: labels/1\.txt"):
        read_folder(tmp_path)
    flat(tmp_path, CAT, f"{number} 0.5 0.5 0.1 0.1\n")
    with pytest.raises(DataError, match=r"do not have lines of .*: labels/1\.txt"):
        read_folder(tmp_path)


def test_a_blank_line_has_a_number(tmp_path: Path) -> None:
    flat(tmp_path, CAT, DOG.replace("1", "2", 1), about="cat\n\ndog\n\n", file="classes.txt")
    assert read_folder(tmp_path).names == ("cat", "dog")
    write(tmp_path, {"labels/1.txt": DOG})
    with pytest.raises(DataError, match=r"classes\.txt has no name for class 1, which is its line 2"):
        read_folder(tmp_path)
