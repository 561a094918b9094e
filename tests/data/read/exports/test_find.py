"""Which export a folder is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dapt.data.read.beside import Parted, part_masks
from dapt.data.read.exports.find import READERS, read_export
from dapt.data.read.folder import read_folder
from dapt.data.read.tree import look_through
from dapt.errors import DataError
from helpers import fill


def test_none(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg", "notes.txt", "x.json", "y.xml")
    (tmp_path / "x.json").write_text("[]")
    (tmp_path / "y.xml").write_text("<a/>")
    tree = look_through(tmp_path)
    assert read_export(tree, Parted(tree.pictures)) is None
    assert len(READERS) == 3


def test_an_export_of_no_class_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg")
    content = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "coco.json").write_text(json.dumps(content))
    tree = look_through(tmp_path)
    with pytest.raises(DataError, match="names no class of any photo"):
        read_export(tree, Parted(tree.pictures))


CAT, DOG = "0 0.5 0.5 0.2 0.2\n", "1 0.5 0.5 0.2 0.2\n"
XML = "<annotation><object><name>{}</name></object></annotation>"


def in_parts(root: Path, kind: str, places: tuple[str, str]) -> None:
    """Eight photographs in two folders, cats and dogs in both, with annotations."""
    photos = [f"{places[number // 4]}/{number}.jpg" for number in range(8)]
    fill(root, *photos)
    if kind == "coco":
        images = [{"id": number, "file_name": photo} for number, photo in enumerate(photos)]
        places_of = [{"image_id": number, "category_id": number % 2} for number in range(8)]
        names = [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}]
        fill(root, "annotations/instances.json")
        content = {"images": images, "annotations": places_of, "categories": names}
        (root / "annotations/instances.json").write_text(json.dumps(content))
        return
    for number, photo in enumerate(photos):
        if kind == "yolo":
            name, text = photo.replace("images/", "labels/").replace(".jpg", ".txt"), (CAT, DOG)[number % 2]
        else:
            name, text = f"Annotations/{number}.xml", XML.format(("cat", "dog")[number % 2])
        fill(root, name)
        (root / name).write_text(text)
    if kind == "yolo":
        (root / "data.yaml").write_text("names: [cat, dog]")


PARTS = [
    ("coco", ("images/batch0", "images/batch1")),
    ("coco", ("train", "extra")),
    ("coco", ("a", "b/c")),
    ("yolo", ("images/set1", "images/set2")),
    ("voc", ("JPEGImages/2007x", "JPEGImages/2012y")),
]


@pytest.mark.parametrize(("kind", "places"), PARTS)
def test_folders_that_are_no_classes(tmp_path: Path, kind: str, places: tuple[str, str]) -> None:
    in_parts(tmp_path, kind, places)
    data = read_folder(tmp_path)
    assert data.names == ("cat", "dog")
    assert [item.label for item in sorted(data.chosen("all"), key=lambda item: item.name[-5])] == [0, 1] * 4


@pytest.mark.parametrize(("kind", "places"), [*PARTS[1:3], *PARTS[4:]])
def test_class_folders_win_where_they_agree_and_are_refused_where_not(
    tmp_path: Path, kind: str, places: tuple[str, str]
) -> None:
    for name in ("cat", "dog"):
        fill(tmp_path, *(f"{name}/{number}.jpg" for number in range(8) if number % 2 == (name == "dog")))
    in_parts(tmp_path / "annotated", kind, places)
    for path in (tmp_path / "annotated").rglob("*.*"):
        if path.suffix == ".json":
            text = path.read_text()
            for number in range(8):
                text = text.replace(f"{places[number // 4]}/{number}.jpg", f"{('cat', 'dog')[number % 2]}/{number}.jpg")
            (tmp_path / "a.json").write_text(text)
        elif path.suffix == ".xml":
            path.rename(tmp_path / ("cat", "dog")[int(path.stem) % 2] / path.name)
    shutil.rmtree(tmp_path / "annotated")
    assert read_folder(tmp_path).layout == "class folders"
    for path in [tmp_path / "a.json", tmp_path / "cat/0.xml"]:
        if path.exists():
            path.write_text(
                path.read_text().replace("cat", "dog", 1)
                if path.suffix == ".xml"
                else path.read_text().replace('"category_id": 0', '"category_id": 1', 1)
            )
    with pytest.raises(DataError, match="disagree about the classes of 1 of 8 photos: cat/0"):
        read_folder(tmp_path)


def test_other_files_beside_class_folders(tmp_path: Path) -> None:
    fill(tmp_path, "cat/a.jpg", "cat/a.txt", "dog/b.jpg", "dog/b.txt", "x.json", "dog/b.xml", "cat/a.xml", "data.yaml")
    assert read_folder(tmp_path).layout == "class folders"  # captions, and files that are none of their kind


NAMES = st.lists(st.sampled_from(["a", "b", "c", "d", "e"]), unique=True, min_size=1)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["coco", "yolo", "voc"]),
    folders=st.lists(st.sampled_from(["train", "images", "valid/images", "x/y"]), unique=True, min_size=1, max_size=3),
    photos=NAMES,
    annotated=NAMES,
    others=st.lists(st.sampled_from(["README.md", "a.heic", "images/notes.txt", "x/a_mask.png", "train.txt", "a.xml"])),
    masks=st.booleans(),
)
def test_every_file_is_used_or_told_of_once(
    kind: str, folders: list[str], photos: list[str], annotated: list[str], others: list[str], masks: bool
) -> None:
    with TemporaryDirectory() as name:
        root = Path(name)
        places = [f"{folder}/{photo}" for folder in folders for photo in photos]
        fill(root, *(f"{place}.jpg" for place in places), *others)
        if masks:
            fill(root, *(f"{place}_mask.png" for place in places[::2]))
        known = [place for place in places if place[-1] in annotated]
        if kind == "coco":
            content = {
                "images": [{"id": number, "file_name": f"{place}.jpg"} for number, place in enumerate(known)],
                "annotations": [{"image_id": number, "category_id": number % 2} for number in range(len(known))],
                "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
            }
            (root / "x.json").write_text(json.dumps(content))
        for place in known:
            if kind == "yolo":
                (root / f"{place}.txt").write_text(DOG)
            if kind == "voc":
                (root / f"{place}.xml").write_text(XML.format("dog"))
        (root / "data.yaml").write_text("names: [cat, dog]")
        tree = look_through(root)
        try:
            data = read_export(tree, part_masks(tree.pictures, root))
        except DataError:
            return
        if data is None:
            return
        items = [item for part in data.splits.values() for item in part]
        used = [item.name for item in items]
        used += [str(item.mask.relative_to(root)) for item in items if item.mask is not None]
        told = used + [name for names in data.unused.values() for name in names]
        assert sorted(told) == sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("numbers", ["0000", "0011", "5577"])
def test_numbers_that_may_be_the_folders(tmp_path: Path, numbers: str) -> None:
    for place, number in enumerate(numbers):
        fill(tmp_path, f"{'ab'[place // 2]}/{place}.jpg", f"{'ab'[place // 2]}/{place}.txt")
        (tmp_path / f"{'ab'[place // 2]}/{place}.txt").write_text(CAT.replace("0", number, 1))
    assert read_folder(tmp_path).layout == "class folders"


def test_numbers_that_are_not(tmp_path: Path) -> None:
    in_parts(tmp_path, "yolo", ("images/set1", "images/set2"))
    (tmp_path / "data.yaml").unlink()
    with pytest.raises(DataError, match="without the names of its classes"):
        read_folder(tmp_path)
