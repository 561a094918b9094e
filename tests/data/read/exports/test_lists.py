"""Splits by lists of photographs and by folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.exports.base import Export
from dapt.data.read.exports.lists import take_splits
from dapt.data.read.tree import look_through
from helpers import fill


def taken(root: Path, **places: list[str]) -> tuple[dict[str, str], Export]:
    tree = look_through(root)
    export = Export("T", ["cat"])
    take_splits(export, tree, tree.pictures, places)
    return export.splits, export


def test_none(tmp_path: Path) -> None:
    fill(tmp_path, "a/0.jpg", "notes.txt", "test.txt")
    assert taken(tmp_path)[0] == {}


@pytest.mark.parametrize("line", ["0.jpg", "b/0.jpg", "/x/a/b/0.jpg", "../b/0.jpg", r"D:\x\a\b\0.jpg"])
def test_a_path_of_another_machine(tmp_path: Path, line: str) -> None:
    fill(tmp_path, "a/b/0.jpg", "a/b/1.jpg", "Train.txt")
    (tmp_path / "Train.txt").write_text(f"{line}\n\n")
    assert taken(tmp_path)[0] == {"a/b/0.jpg": "train"}


def test_a_name_that_two_photos_have_is_not_guessed(tmp_path: Path) -> None:
    fill(tmp_path, "a/0.jpg", "b/0.jpg", "train.txt")
    (tmp_path / "train.txt").write_text("0.jpg\n")
    found, export = taken(tmp_path)
    assert found == {}
    assert export.remarks == ["Lists of splits name photos that are not there: 1 (0.jpg)."]


def test_folders_called_like_a_split_are_it(tmp_path: Path) -> None:
    fill(tmp_path, "test/0.jpg", "other/1.jpg")
    found, export = taken(tmp_path, val=["test"], train=["other", "none.txt"])
    assert found == {"test/0.jpg": "test", "other/1.jpg": "train"}
    assert len(export.remarks) == 2


def test_one_split_of_all_is_none(tmp_path: Path) -> None:
    fill(tmp_path, "obj_train_data/0.jpg", "obj_train_data/1.jpg", "train.txt")
    (tmp_path / "train.txt").write_text("data/obj_train_data/0.jpg\ndata/obj_train_data/1.jpg\n")
    found, export = taken(tmp_path)
    assert (found, export.files) == ({}, ["train.txt"])
    assert export.remarks == ["All photos are listed for the split train, so that there are no splits."]
    (tmp_path / "train.txt").unlink()
    assert taken(tmp_path, train=["obj_train_data"])[0] == {}
