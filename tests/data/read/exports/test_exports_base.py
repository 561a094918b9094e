"""What an export says, turned into rows."""

from __future__ import annotations

import pytest

from dapt.data.read.exports.base import Export, merged, split_in_path, unique_names
from dapt.errors import DataError


def test_rows_by_split() -> None:
    export = Export(
        "T", ["a", "b", "c"], {"2.jpg": (2,), "1.jpg": (0,), "3.jpg": ()}, {"1.jpg": "val", "2.jpg": "train"}
    )
    assert export.rows() == {"train": [("2.jpg", 2, ())], "val": [("1.jpg", 0, ())]}  # 3 is of no split
    assert list(Export("T", ["a"], {"1.jpg": (0,)}).rows()) == ["all"]
    assert not export.multi_label


def test_unused_classes_are_left_out() -> None:
    export = Export("T", ["a", "b", "c"], {"1.jpg": (0, 2)}).with_used_classes()
    assert (export.names, export.shown) == (["a", "c"], {"1.jpg": (0, 1)})
    assert export.rows() == {"all": [("1.jpg", 0, (0, 1))]}
    assert "b" in export.remarks[0]


def test_helpers() -> None:
    assert split_in_path("data/Train/images/a.jpg") == "train"
    assert split_in_path("train.jpg") is None
    assert merged([{1: "b", 0: "a"}, {0: "c", 1: "a"}]) == ["a", "b", "c"]
    with pytest.raises(DataError, match="Two classes of the T export are called 'a'"):
        unique_names(["a", "a"], "T")
