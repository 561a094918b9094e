"""What a CSV index says cell by cell, and that no cell of it is left out silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read import table, table_file
from dapt.data.read.csv_index import read_csv
from dapt.errors import DataError


def index(folder: Path, text: str, name: str = "index.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_headers_as_spreadsheets_write_them(tmp_path: Path) -> None:
    """A byte order mark, blanks around names and cells, Windows line ends, a column without a name, empty cells."""
    text = "image , classname, note,\r\na.png , big_cat,,\r\n b.png,dog , x ,\r\n"
    data = read_csv(index(tmp_path, text, encoding="utf-8-sig"))
    assert data.names == ("big cat", "dog")
    items = sorted((item for split in data.splits.values() for item in split), key=lambda item: item.name)
    assert [(item.name, item.label, item.meta) for item in items] == [
        ("a.png", 0, (("note", ""),)),
        ("b.png", 1, (("note", "x"),)),
    ]
    assert [item.path for item in items] == [tmp_path / "a.png", tmp_path / "b.png"]


def test_an_index_is_called_like_its_folder_from_inside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pets"
    folder.mkdir()
    index(folder, "image,label\na.png,0\n")
    index(folder, "image,label\na.png,0\n", "birds.csv")
    monkeypatch.chdir(folder)
    assert read_csv(Path("index.csv")).name == "pets"
    assert read_csv(Path("birds.csv")).name == "birds"


@pytest.mark.parametrize(
    ("text", "encoding", "message"),
    [
        ("image,label\n", "utf-8", "has a header but no rows"),
        ("image,label\n\n\n", "utf-8", "has a header but no rows"),
        ("", "utf-8", r"no 'image' column \(it has: none\)"),
        ("image,classname\na.png,\u043a\u043e\u0442\n", "cp1251", r"index\.csv cannot be read: it is no text.*line 2"),
        ("image,label\na.png,0\na.png,0\nb.png,1\n", "utf-8", r": 1 \(a\.png \(lines 2 and 3\)\)\."),
        ("image,label\na.png,0\na.png,0\na.png,0\n", "utf-8", r": 2 \(a\.png \(lines 2 and 3\), a\.png \(.* 4\)\)\."),
    ],
)
def test_what_cannot_be_meant(tmp_path: Path, text: str, encoding: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_csv(index(tmp_path, text, encoding=encoding))


@pytest.mark.parametrize(("count", "more"), [(3, ""), (4, " and 1 more")])
def test_three_images_are_named_and_the_others_counted(tmp_path: Path, count: int, more: str) -> None:
    rows = [f"{number}.png,0" for number in range(count)]
    with pytest.raises(DataError) as caught:
        read_csv(index(tmp_path, "\n".join(["image,label", *rows, *rows])))
    named = ", ".join(f"{number}.png (lines {2 + number} and {2 + count + number})" for number in range(3))
    assert caught.value.what.endswith(f": {count} ({named}{more}).")


def test_ceilings_are_the_last_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = index(tmp_path, "image,label\na.png,0\nb.png,1\n")
    monkeypatch.setattr(table, "CSV_COLUMNS", 2)
    monkeypatch.setattr(table, "CSV_CELLS", 4)
    monkeypatch.setattr(table_file, "CSV_BYTES", path.stat().st_size)
    assert len(read_csv(path).names) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # an unquoted comma in a name: the class would be 'cat'
        ("image,classname\na.png,dog\nb.png,cat, big\n", r"line 3: 3 fields, the header has 2"),
        ("image,label\n\na.png,0,,,x\n", r"line 3: 5 fields, the header has 2"),
        ("image,label,classname,label\na.png,0,cat,1\n", r"has the column 'label' 2 times"),
        ("image, image,label\na.png,b.png,0\n", r"has the column 'image' 2 times"),
        ("image,label,group,group\na.png,0,x,y\n", r"has the column 'group' 2 times"),
        ("image,label,classname\na.png,0,cat\nb.png,,dog\n", r"line 3: the class 'dog' has no label here"),
    ],
)
def test_no_cell_is_left_out_silently(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_csv(index(tmp_path, text))
    assert caught.value.todo


def test_empty_cells_beyond_the_header_say_nothing(tmp_path: Path) -> None:
    data = read_csv(index(tmp_path, "image,label,,\na.png,0,,,, \nb.png,1\n"))
    assert data.names == ("class 0", "class 1")
    assert {item.meta for items in data.splits.values() for item in items} == {()}


def test_columns_may_be_written_with_capitals(tmp_path: Path) -> None:
    data = read_csv(index(tmp_path, "Image,LABEL,ClassName,Split,Note\na.png,0,cat,train,x\nb.png,0,cat,test,y\n"))
    assert {split: len(data.split(split)) for split in ("train", "test")} == {"train": 1, "test": 1}
    assert data.names == ("cat",)
    assert data.split("train")[0].meta == (("Note", "x"),)
    with pytest.raises(DataError, match="has the column 'split' 2 times"):
        read_csv(index(tmp_path, "image,label,Split,split\na.png,0,train,test\n"))


def labels(folder: Path, text: str) -> dict[str, int]:
    """Labels by name of the image."""
    data = read_csv(index(folder, text))
    return {item.name: item.label for items in data.splits.values() for item in items}


def test_classes_that_are_numbers_stand_in_their_order(tmp_path: Path) -> None:
    text = "image,classname\na.png,10\nb.png,9\nc.png,2\n"
    assert labels(tmp_path, text) == {"c.png": 0, "b.png": 1, "a.png": 2}
    data = read_csv(index(tmp_path, text))
    assert data.names == ("2", "9", "10")
    assert "The classes are numbers and stand in their order: 2, 9, 10" in data.guessed[0]
    assert read_csv(index(tmp_path, text.replace("10", "10.0").replace("9", "9.0"))).names == ("2", "9", "10")
    assert read_csv(index(tmp_path, text.replace("10", "ten"))).names == ("2", "9", "ten")


def test_labels_that_count_from_one(tmp_path: Path) -> None:
    text = "image,label,classname\na.png,1,cat\nb.png,2,dog\nc.png,-1,\n"
    assert labels(tmp_path, text) == {"a.png": 0, "b.png": 1, "c.png": -1}
    assert "count from 1" in read_csv(index(tmp_path, text)).guessed[0]
    for bad in ("image,label\na.png,1\nb.png,2\n", text.replace("2,dog", "3,dog")):
        with pytest.raises(DataError, match="no row has the label"):
            read_csv(index(tmp_path, bad))


def test_images_of_several_classes(tmp_path: Path) -> None:
    data = read_csv(index(tmp_path, "image,classname,split\na.png,dog|cat,train\nb.png,cat,train\nc.png,dog,test\n"))
    assert data.multi_label
    assert data.names == ("cat", "dog")
    assert [(item.label, item.labels) for item in data.split("train")] == [(1, (1, 0)), (0, (0,))]
    assert "divided by '|'" in data.guessed[0]
    data = read_csv(index(tmp_path, "image,classname\na.png,rock|pop\nb.png,jazz\n"))
    assert not data.multi_label
    assert data.names == ("jazz", "rock|pop")
    assert "'rock|pop' is taken to be one class" in data.guessed[0]


def test_columns_of_zero_and_one_are_classes(tmp_path: Path) -> None:
    text = "filename,b_c,a\nx.png,1,0\ny.png,0,1\nz.png,0,0\n"
    data = read_csv(index(tmp_path, text))
    assert (data.names, data.multi_label) == (("b c", "a"), False)
    assert labels(tmp_path, text) == {"x.png": 0, "y.png": 1, "z.png": -1}
    assert read_csv(index(tmp_path, text.replace("z.png,0,0", "z.png,1,1"))).multi_label


def test_names_that_differ_in_capitals_are_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_csv(index(tmp_path, "image,classname\na.png,Cat\nb.png,cat\n")).names == ("Cat", "cat")
    assert "'Cat', 'cat'" in capsys.readouterr().err
    read_csv(index(tmp_path, "image,classname\na.png,Cat\nb.png,dog\n"))
    assert capsys.readouterr().err == ""


def test_one_class_in_two_unicode_forms(tmp_path: Path) -> None:
    data = read_csv(index(tmp_path, "image,classname\na.png,caf\u00e9\nb.png,cafe\u0301\n"))
    assert data.names == ("caf\u00e9",)


def test_one_file_in_two_spellings(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "A.png").touch()
    with pytest.raises(DataError, match=r"occur twice in .*x/A\.png \(lines 2 and 3\)"):
        read_csv(index(tmp_path, "image,classname\nx\\A.png,cat\nX/a.PNG,cat\n"))
    with pytest.raises(DataError, match=r"with two labels in .*x/A\.png \(line 2: 0 'cat', line 3: 1 'dog'\)"):
        read_csv(index(tmp_path, "image,classname\nx/A.png,cat\nx/A,dog\n"))


@pytest.mark.parametrize(
    ("rows", "splits"),
    [
        (["train/a.png,x", "train/b.png,y", "test/c.png,x"], {"train": 2, "test": 1}),
        (["data/Train/a.png,x", "data/Valid/b.png,y"], {"train": 1, "val": 1}),
        (["train/a.png,x", "bus/b.png,y"], {"train": 2, "test": 0, "val": 0}),  # a class may be called train
        (["train/a.png,x", "train/b.png,y"], {"train": 2, "test": 0, "val": 0}),
    ],
)
def test_folders_in_paths_may_be_splits(tmp_path: Path, rows: list[str], splits: dict[str, int]) -> None:
    data = read_csv(index(tmp_path, "image,classname\n" + "\n".join(rows)))
    assert {split: len(items) for split, items in data.splits.items()} == splits
    assert any("splits are those of the folders" in sentence for sentence in data.guessed) == (len(splits) == 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\nhttps://x.org/a.png,cat\nb.png,dog\n", "line 2: .* is an address, not a file"),
        ("image,label\n,cat\nb.png,dog\n", "line 2: there is no path of an image"),
        ("image,label\na.png,0\nb.png,1\nc.png,cat\n", "line 4: the label 'cat' is not a number"),
        ("image,label\nC:\\x\\a.png,0\nb.png,1\n", "line 2: .* lies outside"),
    ],
)
def test_rows_that_cannot_be_meant(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_csv(index(tmp_path, text))
    assert caught.value.todo


def test_a_table_as_usual_is_nothing_to_speak_of(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "images" / name).touch()
    data = read_csv(index(tmp_path, "image,label,classname\nimages/a.png,0,cat\n"))
    assert data.guessed == ()
    assert data.unused == {"not in the table": ("images/b.png",)}
    data = read_csv(index(tmp_path, "image,label,mask\nimages/a.png,0,images/b.png\n"))
    assert data.unused == {}
