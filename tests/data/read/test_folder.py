"""Which files of a folder are its images, and how classes are numbered."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dapt.cues.base import CUES
from dapt.data.read.csv_index import read_csv
from dapt.data.read.folder import IMAGE_TYPES, read_folder
from dapt.data.read.kinds import is_picture
from dapt.errors import DataError


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (2, 2)).save(path, format="PNG")


def test_images_by_any_ending_in_any_case(tmp_path: Path) -> None:
    for number, ending in enumerate(sorted(IMAGE_TYPES)):
        put(tmp_path / "train" / "cat" / f"{number}{ending if number % 2 else ending.upper()}")
    data = read_folder(tmp_path)
    read = {ending for ending in IMAGE_TYPES if is_picture(f"a{ending}")}
    assert len(data.split("train")) == len(read) >= 25
    assert sum(map(len, data.unused.values())) == len(IMAGE_TYPES) - len(read)


def test_other_files_and_hidden_ones_are_no_images(tmp_path: Path) -> None:
    cat = tmp_path / "train" / "cat"
    for name in ("b.png", "a.PNG", "deep/er/c.png", ".hidden.png"):
        put(cat / name)
    (cat / "notes.txt").write_text("no picture")
    (cat / "noending").write_text("no picture")
    put(tmp_path / "train" / ".thumbnails" / "x.png")
    (tmp_path / "train" / "readme.md").write_text("no class")
    data = read_folder(tmp_path)
    assert data.names == ("cat",)
    assert [item.name for item in data.split("train")] == [
        "train/cat/a.PNG",
        "train/cat/b.png",
        "train/cat/deep/er/c.png",
    ]
    assert [item.label for item in data.split("train")] == [0, 0, 0]


def test_classes_are_numbered_in_sorted_order(tmp_path: Path) -> None:
    for name in ("zebra", "Ape", "big_cat", "10", "9"):
        put(tmp_path / "train" / name / "0.png")
        put(tmp_path / "Test" / name / "0.png")
    (tmp_path / "Test" / "zebra" / "0.png").unlink()
    (tmp_path / "Test" / "zebra").rmdir()
    data = read_folder(tmp_path)
    assert data.names == ("10", "9", "Ape", "big cat", "zebra")
    numbered = list(enumerate(("10", "9", "Ape", "big_cat", "zebra")))
    for split, expected in (("train", numbered), ("test", numbered[:4])):
        assert [(item.label, item.path.parent.name) for item in data.split(split)] == expected
    put(tmp_path / "Test" / "ape" / "0.png")
    with pytest.raises(DataError, match="training folder has 'Ape': give both the same letters"):
        read_folder(tmp_path)
    (tmp_path / "Test" / "ape" / "0.png").unlink()
    (tmp_path / "Test" / "ape").rmdir()
    put(tmp_path / "Test" / "unknown" / "0.png")
    with pytest.raises(DataError, match="has the class 'unknown', which the training folder does not have"):
        read_folder(tmp_path)


@pytest.mark.parametrize("name", ["train", "Training", "val", "VALID", "validation", "test"])
def test_names_of_splits(tmp_path: Path, name: str) -> None:
    put(tmp_path / name / "cat" / "0.png")
    kind = {"v": "val", "t": "test" if name == "test" else "train"}[name[0].lower()]
    assert list(read_folder(tmp_path).splits) == [kind]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    """A folder that holds images itself is a class."""
    for name in ("train", "bus"):
        for number in range(10):
            put(tmp_path / name / f"{number}.png")
    data = read_folder(tmp_path)
    assert data.names == ("bus", "train")
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 10, "val": 4, "test": 6}


def rows(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_shares_labels_and_order(tmp_path: Path) -> None:
    lines = [f"{name}/{number}.png,{name}" for name in ("zebra", "ape_x") for number in range(10)]
    data = read_csv(rows(tmp_path / "pets.csv", "\n".join(["image,classname", *lines])))
    assert (data.name, data.names) == ("pets", ("ape x", "zebra"))
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 10, "val": 4, "test": 6}
    for items in data.splits.values():
        assert all(item.label == int(item.name.startswith("zebra")) for item in items)


def test_csv_labels_as_other_programs_write_them(tmp_path: Path) -> None:
    body = "a.png,1.0,one,train,x\nb.png,0,zero,TRAIN,\nc.png,-1,,test,y\nd.png,,,valid,"
    text = f"image,label,classname,split,source\n{body}"
    data = read_csv(rows(tmp_path / "index.csv", text))
    assert data.names == ("zero", "one")
    assert data.name == tmp_path.name
    assert [(item.name, item.label) for item in data.split("train")] == [("a.png", 1), ("b.png", 0)]
    assert [item.label for split in ("test", "val") for item in data.split(split)] == [-1, -1]
    assert data.split("train")[0].meta == (("source", "x"),)
    assert data.labelled("test") == ()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("a.png,0,x\nb.png,0,y", "line 3: label 0 is 'y' here and 'x' above"),
        ("a.png,0,x\nb.png,2,y", "no row has the label 1"),
        ("a.png,-2,x", "line 2: the label -2 is negative"),
        ("a.png,1.5,x", r"line 2: the label '1\.5' is not a number"),
        ("../a.png,0,x", "line 2: '../a.png' lies outside"),
        ("/a.png,0,x", "line 2: '/a.png' lies outside"),
    ],
)
def test_csv_mistakes_name_their_line(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(rows(tmp_path / "t.csv", f"image,label,classname\n{body}"))


def test_what_is_made_of_texts_follows_the_prompts() -> None:
    assert [name for name in CUES.names() if CUES.get(name).follows_prompts] == ["gradcam", "patches"]


def test_classes_that_are_numbers_stand_in_their_order(tmp_path: Path) -> None:
    for name in ("10", "9", "2"):
        put(tmp_path / "train" / name / "0.png")
        put(tmp_path / "test" / name / "1.png")
    data = read_folder(tmp_path)
    assert data.names == ("2", "9", "10")
    assert [(item.name, item.label) for item in data.split("test")] == [
        ("test/10/1.png", 2),
        ("test/2/1.png", 0),
        ("test/9/1.png", 1),
    ]
    assert any("The classes are numbers" in sentence for sentence in data.guessed)


def test_classes_in_two_unicode_forms(tmp_path: Path) -> None:
    put(tmp_path / "train" / "caf\u00e9" / "0.png")
    put(tmp_path / "train" / "dog" / "0.png")
    put(tmp_path / "test" / "cafe\u0301" / "1.png")
    put(tmp_path / "test" / "dog" / "1.png")
    data = read_folder(tmp_path)
    assert data.names == ("caf\u00e9", "dog")
    assert data.split("test")[0].name == "test/cafe\u0301/1.png"
    put(tmp_path / "train" / "cafe\u0301" / "2.png")
    with pytest.raises(DataError, match=r"Two class folders of .*train are called 'caf\u00e9', in two Unicode forms"):
        read_folder(tmp_path)
