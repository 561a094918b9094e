"""The table of what was understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import ImageSet, Item
from dapt.data.read.folder import read_folder
from dapt.data.understood import class_counts, lines, say_understood
from helpers import fill


def test_the_table(tmp_path: Path) -> None:
    fill(
        tmp_path, "Training/cat/1.jpg", "Training/cat/2.jpg", "Training/dog/1.jpg", "Testing/cat/3.jpg", "Testing/4.jpg"
    )
    fill(tmp_path, "readme.md", "Training/cat/1_mask.png")
    assert [line.rstrip() for line in lines(read_folder(tmp_path))] == [
        f"{tmp_path}: split folders Training, Testing",
        "  class        train    test",
        "  cat              2       1",
        "  dog              1       0",
        "  all images       3       1",
        "  not used: 1 file, beside the class folders, so that their class is not known (Testing/4.jpg)",
        "  not used: 1 file, texts and tables (readme.md)",
        "  1 masks lie beside their photos (as 1_mask.png): they serve as the data's own masks and are no photos.",
    ]


def many(classes: int) -> ImageSet:
    items = [Item(Path(f"{label}-{number}"), label, "x") for label in range(classes) for number in range(label + 1)]
    return ImageSet("many", Path("many"), tuple(f"class {label}" for label in range(classes)), {"train": tuple(items)})


def test_many_classes_are_summed_up() -> None:
    assert len(lines(many(30))) == 33
    short = lines(many(31))
    assert len(short) == 14
    assert "and 21 more classes (of 1 image, 'class 0', to 31, 'class 30')" in short[-2]
    assert len(lines(many(31), every=True)) == 34


def test_many_equal_classes_and_a_lone_one() -> None:
    items = tuple(Item(Path(f"{number}"), number // 4, "x") for number in range(200))
    data = ImageSet("many", Path("many"), tuple(f"class {label}" for label in range(50)), {"train": items})
    assert lines(data)[-2] == "  and 40 more classes (of 4 images each); 'dapt data verify' shows all"
    lone = lines(ImageSet("one", Path("one"), ("images",), {"train": items[:4]}))
    assert [line.split() for line in lone[2:]] == [["images", "4"], ["all", "images", "4"]]


def test_several_classes_and_none() -> None:
    items = (Item(Path("a"), 0, "a", labels=(0, 1)), Item(Path("b"), -1, "b"))
    data = ImageSet("x", Path("x"), ("same", "same"), {"test": items}, multi_label=True)
    assert class_counts(data) == {"same 0": {"test": 1}, "same 1": {"test": 1}, "(no class)": {"test": 1}}


def test_said_once_and_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, "cat/1.jpg", "dog/1.jpg", "cover.jpg")
    data = read_folder(tmp_path)
    say_understood(data)
    assert "warning: Not used: 1 file, beside the class folders" in capsys.readouterr().err
    say_understood(data)
    assert capsys.readouterr().err == ""
