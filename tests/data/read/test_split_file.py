"""The images of a split file in place of a data set's own split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.items import ImageSet, Item
from dapt.data.read.split_file import apply_split_file
from dapt.errors import DataError


def items(*names: str) -> tuple[Item, ...]:
    """Images whose first letter is their class."""
    return tuple(Item(Path("/d") / name, "ab".index(name[0]), name, meta=(("group", "g"),)) for name in names)


DATA = ImageSet("x", Path("/d"), ("ant", "bee"), {"train": items("a0", "a1", "b0"), "test": items("b1", "a2")})


def split_file(tmp_path: Path, **splits: list[list[object]]) -> Path:
    path = tmp_path / "split.json"
    path.write_text(json.dumps(splits))
    return path


def test_other_images_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = split_file(tmp_path, train=[["b1", 1, "bee"], ["a1", 0, "ant"]], val=[["a2", 0, "ant"]])
    found = apply_split_file(DATA, path)
    assert {split: [item.name for item in part] for split, part in found.splits.items()} == {
        "train": ["b1", "a1"],
        "val": ["a2"],
    }
    assert found.split("train")[0] is DATA.split("test")[0]  # masks, groups and all
    assert (found.name, found.names) == (DATA.name, DATA.names)


def test_a_class_may_be_left_out(tmp_path: Path) -> None:
    found = apply_split_file(DATA, split_file(tmp_path, train=[["b1", 1, "bee"]]))
    assert [item.label for item in found.split("train")] == [1]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["a0", 0, "ant"], ["z", 0, "ant"], ["y", 0, "ant"]], "names 2 images that x does not have, the first: z"),
        ([["a0", 1, "bee"]], "gives a0 the label 1, in x it is 0"),
        ([["../a0", 0, "ant"]], "is not a relative path"),
        ([["a0", 0, "ant"], ["a0", 0, "ant"]], "occur twice"),
        ([], "names no images"),
    ],
)
def test_files_for_other_data(tmp_path: Path, rows: list[list[object]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        apply_split_file(DATA, split_file(tmp_path, train=rows))


def test_validation_on_the_test_images_where_the_data_does_so(tmp_path: Path) -> None:
    rows = [["a0", 0, "ant"]]
    path = split_file(tmp_path, val=rows, test=rows)
    with pytest.raises(DataError, match="Images in two splits"):
        apply_split_file(DATA, path)
    shared = ImageSet("x", Path("/d"), DATA.names, {"val": items("a0"), "test": items("a0")})
    assert apply_split_file(shared, path).split("val") == shared.split("test")


def test_names_in_another_unicode_form(tmp_path: Path) -> None:
    """A split file that was made on macOS, for a folder that was copied to Linux."""
    data = ImageSet("x", Path("/d"), ("ant", "bee"), {"train": items("a\u00e9", "b0")})
    path = split_file(tmp_path, train=[["ae\u0301", 0, "ant"]])
    assert apply_split_file(data, path).split("train") == data.split("train")[:1]
    path = split_file(tmp_path, train=[["ae\u0301", 0, "ant"]], test=[["a\u00e9", 0, "ant"]])
    with pytest.raises(DataError, match="twice, in two Unicode forms"):
        apply_split_file(data, path)
