"""Folders that are the classes of an export, and folders that are parts of the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.exports.agree import export_wins, most
from dapt.data.read.exports.base import Export
from dapt.data.read.tree import Tree
from dapt.errors import DataError


def wins(
    shown: dict[str, tuple[int, ...]], folders: dict[str, str], names: tuple[str, ...] = ("cat", "big dog")
) -> bool:
    return export_wins(Export("T", list(names), shown, files=["x"]), folders, Tree(Path("top")))


def test_most() -> None:
    assert most(["a", "b"], ["a", "b", "c"])
    assert not most(["a"], ["a", "b"])
    assert not most([], [])


@pytest.mark.parametrize("folders", [("cat", "big_dog"), ("Cats", "BigDogs"), ("001.cat", "002.Big dog")])
def test_folders_called_like_the_classes(folders: tuple[str, str]) -> None:
    assert not wins({"1": (0,), "2": (1, 0), "3": ()}, {"1": folders[0], "2": folders[1], "3": folders[0]})


def test_parts_of_the_data() -> None:
    assert wins({"1": (0,), "2": (1,)}, {"1": "batch0", "2": "batch1"})
    assert not wins({}, {"1": "batch0"})


@pytest.mark.parametrize(
    ("shown", "folders"),
    [
        ({"1": (0,), "2": (0,)}, {"1": "cat", "2": "big_dog"}),
        ({"1": (0,), "2": (1,)}, {"1": "cat", "2": "extra"}),
        ({"1": (0,), "2": (0,)}, {"1": "batch0", "2": "batch1"}),
    ],
)
def test_anything_else_is_refused(shown: dict[str, tuple[int, ...]], folders: dict[str, str]) -> None:
    with pytest.raises(DataError, match="disagree about the classes"):
        wins(shown, folders)
