"""An image has one row in a CSV index: what is trained on is not tested on, and nothing counts twice."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from dapt.data.read import table as table_module
from dapt.data.read import table_file
from dapt.data.read.aliases import split_word
from dapt.data.read.csv_index import read_csv
from dapt.errors import DataError
from dapt.limits import CSV_FIELD


def index(folder: Path, text: str) -> Path:
    path = folder / "index.csv"
    path.write_text(text)
    return path


@pytest.mark.parametrize("again", ["a.jpg", "./a.jpg", "b/../a.jpg", ".//a.jpg", '" a.jpg "'])
@pytest.mark.parametrize("splits", [("train", "test"), ("val", "test"), ("train", "val"), ("training", "test")])
def test_an_image_in_two_splits(tmp_path: Path, again: str, splits: tuple[str, str]) -> None:
    path = index(tmp_path, f"image,label,split\na.jpg,0,{splits[0]}\nb.jpg,1,train\n{again},0,{splits[1]}\n")
    first, second = (split_word(split) for split in splits)
    with pytest.raises(DataError, match="Images in two splits") as caught:
        read_csv(path)
    assert f"a.jpg (line 2: {first}, line 4: {second})" in caught.value.what
    assert "must not be tested on" in caught.value.todo


@pytest.mark.parametrize("split", ["", ",split"])
def test_an_image_with_two_labels(tmp_path: Path, split: str) -> None:
    value = ",train" if split else ""
    path = index(
        tmp_path,
        f"image,label,classname{split}\na//b.jpg,0,cat{value}\nc.jpg,1,dog{value}\na/b.jpg,1,dog{value}\n",
    )
    with pytest.raises(DataError, match="Images with two labels") as caught:
        read_csv(path)
    assert "a/b.jpg (line 2: 0 'cat', line 4: 1 'dog')" in caught.value.what


def test_labelled_and_unlabelled(tmp_path: Path) -> None:
    path = index(tmp_path, "image,label\na.jpg,0\nb.jpg,1\na.jpg,\n")
    with pytest.raises(DataError, match=r"a\.jpg \(line 2: 0 'class 0', line 4: none\)"):
        read_csv(path)


def test_a_repeated_row(tmp_path: Path) -> None:
    path = index(tmp_path, "image,label,split\na.jpg,0,test\nb.jpg,1,test\na.jpg,0,test\n")
    with pytest.raises(DataError, match=r"Images that occur twice in .*: 1 \(a\.jpg \(lines 2 and 4\)\)"):
        read_csv(path)


def test_many_are_counted_and_the_worst_kind_comes_first(tmp_path: Path) -> None:
    rows = [f"{number}.jpg,{number % 2},{split}" for split in ("train", "test") for number in range(9)]
    path = index(tmp_path, "image,label,split\n" + "\n".join(["x.jpg,0,train", "x.jpg,0,train", *rows]) + "\n")
    with pytest.raises(DataError, match=r"Images in two splits of .*: 9 \(0\.jpg .* and 6 more\)\."):
        read_csv(path)


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    path = index(tmp_path, 'image,label,note\n\na.jpg,0,"two\nlines"\n\nb.jpg,1,\na.jpg,0,\n')
    with pytest.raises(DataError, match=r"a\.jpg \(lines 4 and 7\)"):
        read_csv(path)


def test_the_command_refuses(dapt, table: Path, arguments: list[object]) -> None:
    rows = list(csv.DictReader((table).open()))
    leaked = {**next(row for row in rows if row["split"] == "test"), "split": "train"}
    with table.open("a", newline="") as file:
        csv.DictWriter(file, rows[0]).writerow(leaked)
    code, _, err = dapt(*arguments)
    assert code == 2
    assert "Images in two splits" in err
    assert "Traceback" not in err


def test_other_images_are_read_as_before(table: Path) -> None:
    data = read_csv(table)
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 16, "val": 8, "test": 8}


def test_ceilings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = index(tmp_path, "image,label\na.jpg,0\nb.jpg,1\nc.jpg,1\n")
    for name, value, message in (
        ("CSV_BYTES", 10, "it has .* bytes, files of up to 10 bytes are read"),
        ("CSV_COLUMNS", 1, "has 2 columns, an index of up to 1 is read"),
        ("CSV_CELLS", 4, r"has more than 4 cells \(2 columns, more than 2 rows\)"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(table_file if name == "CSV_BYTES" else table_module, name, value)
            with pytest.raises(DataError, match=message):
                read_csv(path)
    assert len(read_csv(path).names) == 2


def test_a_field_without_end(tmp_path: Path) -> None:
    path = index(tmp_path, 'image,label\n"' + "a" * (CSV_FIELD + 1) + "\n")
    with pytest.raises(DataError, match="larger than field limit") as caught:
        read_csv(path)
    assert "131,072 characters" in caught.value.todo


def test_short_rows_do_not_blow_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row may leave out columns, so a file of one megabyte could claim 256 million cells."""
    header = "image,label," + ",".join(f"c{number}" for number in range(900))
    path = index(tmp_path, header + "\n" + "\n".join(f"{number},0" for number in range(60_000)) + "\n")
    assert path.stat().st_size < 10**6
    monkeypatch.setattr(table_module, "CSV_CELLS", 2_000_000)
    with pytest.raises(DataError, match="has more than 2,000,000 cells"):
        read_csv(path)
