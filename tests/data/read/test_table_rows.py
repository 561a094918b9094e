"""Rows of tables: cells without a value, boxes, paths from a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.table_rows import Rows, add_rows, take_splits_of_folders
from dapt.errors import DataError


def rows(folder: Path, text: str, name: str = "x.csv", split: str | None = None) -> Rows:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    found = Rows()
    add_rows(found, folder / name, split, folder)
    return found


def test_a_row(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, "image,label,classname,mask,split,group\n./a.png,3,cat,m/a.png,Valid,x\n").rows
    assert (row.image, row.mask, row.split, row.label, row.names) == ("a.png", "m/a.png", "val", "3", ("cat",))
    assert row.meta == (("group", "x"),)
    assert row.where == f"{tmp_path / 'x.csv'}, line 2"


@pytest.mark.parametrize("nothing", ["nan", "NaN", "<NA>", "NA", "N/A", "None", "null", ""])
def test_cells_without_a_value(tmp_path: Path, nothing: str) -> None:
    found = rows(tmp_path, f"image,label\na.png,0\nb.png,{nothing}\n")
    assert [row.label for row in found.rows] == ["0", ""]
    assert any("1 cells without a class" in sentence for sentence in found.guessed) == bool(nothing)


def test_words_that_may_mean_no_class_are_named(tmp_path: Path) -> None:
    found = rows(tmp_path, "image,label\na.png,cat\nb.png,NA\nc.png,unknown\n")
    assert [row.names for row in found.rows] == [("cat",), (), ("unknown",)]
    assert any("1 cells without a class ('NA')" in said for said in found.guessed)
    assert any("'unknown' is a class, of 1 images" in said for said in found.guessed)


def test_mistakes_of_formulas(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: '#REF!' in the column 'breed' is a mistake of a formula"):
        rows(tmp_path, "image,breed\na.png,pug\nb.png,#REF!\n")


BOXES = "filename,class,xmin,ymin,xmax,ymax\na.png,cat,0,0,1,1\na.png,cat,2,2,3,3\nb.png,dog,0,0,1,1\n"


def test_a_table_of_boxes(tmp_path: Path) -> None:
    found = rows(tmp_path, BOXES)
    assert [(row.image, row.names) for row in found.rows] == [("a.png", ("cat",)), ("b.png", ("dog",))]
    assert "1 further boxes" in found.guessed[-1]
    with pytest.raises(DataError, match=r"table of boxes, and a\.png has boxes of several classes .*\(lines 2 and 3\)"):
        rows(tmp_path, BOXES.replace("cat,2", "dog,2"))


def test_splits_of_folders_only_where_nothing_else_says_them(tmp_path: Path) -> None:
    text = "image,classname\nx/train/a.png,cat\nx/test/b.png,cat\n"
    found = rows(tmp_path, text)
    take_splits_of_folders(found)
    assert [row.split for row in found.rows] == ["train", "test"]
    found = rows(tmp_path, text, split="val")
    take_splits_of_folders(found)
    assert [row.split for row in found.rows] == ["val", "val"]


def test_paths_are_relative_to_the_table_or_to_the_folder_above(tmp_path: Path) -> None:
    for name in ("train/a.png", "images/b.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    for text, image in (
        ("a.png", "train/a.png"),
        ("images/b.png", "images/b.png"),
        ("../images/b.png", "images/b.png"),
    ):
        (row,) = rows(tmp_path, f"image,classname\n{text},cat\n", "train/metadata.csv").rows
        assert row.image == image


def test_a_header_that_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "f1.png").touch()
    found = rows(tmp_path, "f1,cat\nf2,dog\n")
    assert [(row.number, row.image, row.names) for row in found.rows] == [(1, "f1.png", ("cat",)), (2, "f2", ("dog",))]
    assert "no header" in found.guessed[0]
    with pytest.raises(DataError, match="no 'image' column"):
        rows(tmp_path, "g1,cat\nf1,dog\n")


def test_lists_as_python_writes_them(tmp_path: Path) -> None:
    found = rows(tmp_path, "image,labels\na.png,\"['cat', 'dog']\"\nb.png,['cat']\nc.png,[]\n")
    assert [row.names for row in found.rows] == [("cat", "dog"), ("cat",), ()]
    assert found.multi_label
    found = rows(tmp_path, "image,label\na.png,[cat\nb.png,['cat']\n")
    assert [row.names for row in found.rows] == [("[cat",), ("['cat']",)]


@pytest.mark.parametrize(
    ("column", "splits"),
    [("is_valid", ["val", "train"]), ("is_test", ["test", "train"]), ("is_training_image", ["train", "test"])],
)
def test_columns_of_true_and_false_for_a_split(tmp_path: Path, column: str, splits: list[str]) -> None:
    found = rows(tmp_path, f"image,label,{column}\na.png,cat,True\nb.png,cat,False\n")
    assert [row.split for row in found.rows] == splits


def test_addresses_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (row,) = rows(tmp_path, f"image,label\nfile://{tmp_path}/a.png,cat\n").rows
    assert row.image == "a.png"


def test_a_guessed_division_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows(tmp_path, "image,tags\na.png,bear\nb.png,brown\nc.png,brown bear\n")
    said = " ".join(capsys.readouterr().err.split())
    assert "'brown bear' is 'brown' and 'bear'" in said
    assert "call the column 'classname'" in said
    found = rows(tmp_path, "image,classname\na.png,bear\nb.png,brown\nc.png,brown bear\n")
    assert not found.multi_label


def test_names_with_commas_stay_whole(tmp_path: Path) -> None:
    found = rows(tmp_path, 'image,labels\na.png,"Portland, OR"\nb.png,"Salem, OR"\n')
    assert [row.names for row in found.rows] == [("Portland, OR",), ("Salem, OR",)]
    assert "'Portland, OR' is taken to be one class" in " ".join(found.guessed)


@pytest.mark.parametrize(
    "text", ["a" * 5000 + ".jpg", "a/" * 2500 + ".jpg", "é" * 200 + ".jpg", "file:///" + "a/%20" * 2000]
)
def test_paths_longer_than_a_file_can_have(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match=r"line 2: a path of [\d,]+ characters"):
        rows(tmp_path, f"image,label\n{text},cat\n")


def test_a_mask_that_is_the_image(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 3: the mask of b\.png is the image itself"):
        rows(tmp_path, "image,label,mask\na.png,cat,m/a.png\nb.png,dog,b.png\n")
