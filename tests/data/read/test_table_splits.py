"""Splits in tables: every column that speaks of them is understood, or refused; none is dropped."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.table_rows import Rows, add_rows
from dapt.errors import DataError


def read(folder: Path, header: str, rows: list[str], split: str | None = None) -> Rows:
    lines = [f"{place}.png,{'cat' if place % 2 else 'dog'},{row}" for place, row in enumerate(rows)]
    (folder / "x.csv").write_text("\n".join([f"image,classname,{header}", *lines]) + "\n", encoding="utf-8")
    found = Rows()
    add_rows(found, folder / "x.csv", split, folder)
    return found


@pytest.mark.parametrize(
    ("header", "rows", "splits"),
    [
        ("is_valid,is_test", ["0,0", "1,0", "0,1"], "train val test"),
        ("is_test,is_valid", ["False,False", "False,True", "True,False"], "train val test"),
        ("is_train,is_valid", ["1,0", "0,1", "0,0"], "train val test"),
        ("is_train,is_valid,is_test", ["1,0,0", "0,1,0", "0,0,1"], "train val test"),
        ("is_test", ["no", "yes"], "train test"),
        ("split,is_test", ["train,0", "val,0", "test,1"], "train val test"),
        ("split,subset", ["train,training", "test,Test"], "train test"),
        ("split,fold", ["train,0", "test,3"], "train test"),
        ("Usage", ["Training", "PublicTest", "PrivateTest"], "train val test"),
        ("partition", ["0", "1", "2"], "train val test"),
        ("set", ["blue", "red"], "all all"),
    ],
)
def test_splits(tmp_path: Path, header: str, rows: list[str], splits: str) -> None:
    assert " ".join(row.split for row in read(tmp_path, header, rows).rows) == splits


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        ("is_valid,is_test", ["0,0", "1,1"], "line 3: 'is_valid' and 'is_test' are both true"),
        ("is_train,is_valid,is_test", ["1,0,0", "0,0,0"], "line 3: .* leave open"),
        ("is_test", ["0", "maybe"], "'is_test' has 'maybe'"),
        ("split,is_test", ["train,0", "train,1"], "line 3: 'split' says train, and 'is_test' says '1'"),
        ("split,is_test", ["train,0", "test,0"], "line 3: 'split' says test"),
        ("subset", ["train", "test", "extra"], "'subset' has splits, and also 'extra'"),
        ("partition", ["train", "tets"], "'partition' has splits, and also 'tets'"),
        ("set", ["train", "tets"], "'set' has splits, and also 'tets'"),
        ("split", ["train", "tets"], "there is no split 'tets'"),
        ("partition", ["0", "1"], "'partition' is called like one of splits, and has '0', '1'"),
        ("fold", ["0", "1", "2", "3", "4"], "'fold' is called like .* '0', '1', '2' and 2 more"),
        ("split,subset", ["train,train", "test,train"], "line 3: the column 'split' says 'test', and 'subset'"),
        ("subset,set", ["train,train", "test,val"], "line 3: the column 'subset' says 'test', and 'set'"),
    ],
)
def test_refused(tmp_path: Path, header: str, rows: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(tmp_path, header, rows)
    assert caught.value.todo


def test_what_is_taken_for_splits_is_said(tmp_path: Path) -> None:
    said = " ".join(read(tmp_path, "is_valid,is_test", ["0,0", "0,1"]).guessed)
    assert "'is_valid' and 'is_test' name the splits" in said
    assert "as in CelebA" in " ".join(read(tmp_path, "partition", ["0", "1", "2"]).guessed)
    assert "'set' holds none of train, val and test ('blue')" in " ".join(read(tmp_path, "set", ["blue"]).guessed)


def test_a_table_of_one_split_whose_rows_say_another(tmp_path: Path) -> None:
    assert [row.split for row in read(tmp_path, "split", ["valid"], "val").rows] == ["val"]
    with pytest.raises(DataError, match="line 3: the row says test, and the file is called like train"):
        read(tmp_path, "split", ["train", "test"], "train")
