"""Tables with more than one column that may be the classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.columns import Columns, find_columns
from dapt.data.read.row_paths import Files
from dapt.data.read.table_text import parse_text
from dapt.errors import DataError


def columns(folder: Path, header: str, rows: str) -> Columns:
    """Columns of a table with an image in each row."""
    lines = [f"{place}.png,{row}" for place, row in enumerate(rows.split())]
    return find_columns(parse_text("\n".join([f"file_name,{header}", *lines]), folder / "x.csv"), Files(folder))


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("label,class", "left,cat right,cat left,dog right,dog"),
        ("label,class", "0,cat 1,cat 0,dog 1,dog"),
        ("label,class", "left,cat right,cat left,dog"),
    ],
)
def test_two_columns_that_disagree(tmp_path: Path, header: str, rows: str) -> None:
    with pytest.raises(DataError, match="several columns that may hold the classes: 'label', 'class'") as caught:
        columns(tmp_path, header, rows)
    assert "classname" in caught.value.todo


@pytest.mark.parametrize(
    ("header", "rows", "other"),
    [
        ("label,breed", "0,pug 0,husky 1,siam 1,siam", "breed"),
        ("label,breed", "0,pug 1,pug 1,siam 0,siam", "breed"),
        ("label,class", "pug,dog husky,dog siam,cat", "class"),
    ],
)
def test_another_column_is_named(tmp_path: Path, header: str, rows: str, other: str) -> None:
    found = columns(tmp_path, header, rows)
    assert f"'label' is taken for the classes, and not '{other}'" in " ".join(found.said)


@pytest.mark.parametrize(
    "header", ["label,name", "category_id,name", "category_id,animal", "target,animal", "label,animal"]
)
def test_names_beside_numbers(tmp_path: Path, header: str) -> None:
    number, name = header.split(",")
    found = columns(tmp_path, header, "0,cat 1,dog 0,cat 1,dog")
    assert (found.label, found.classname) == (number, name)
    assert f"'{name}' holds the names" in " ".join(found.said)


def test_texts_that_are_no_names(tmp_path: Path) -> None:
    assert columns(tmp_path, "label,note", "0,x 1,y").classname is None
    assert columns(tmp_path, "label,place", "0,x 1,y 0,y").classname is None
    assert columns(tmp_path, "label,a,b", "0,x,k 1,y,l 0,x,k").classname is None
    assert not any("not" in said for said in columns(tmp_path, "label,class", "a,x b,y a,x").said)


def test_columns_of_zero_and_one(tmp_path: Path) -> None:
    assert columns(tmp_path, "cat,dog,notes", "1,0, 0,1,").one_hot == ("cat", "dog")
    assert columns(tmp_path, "cat,dog", "1, ,1").one_hot == ("cat", "dog")
    assert columns(tmp_path, "cat,dog,cow", "1,0,0 0,1,0").one_hot == ("cat", "dog", "cow")
    with pytest.raises(DataError, match=r"columns of 0 and 1 \(flipped, grey\), and 'kind'") as caught:
        columns(tmp_path, "kind,flipped,grey", "a,0,1 b,1,0 a,0,0")
    assert "classname" in caught.value.todo
    with pytest.raises(DataError, match="'dog' is a column of 0 and 1, and some"):
        columns(tmp_path, "cat,dog", "1,0 0, 0,1")
