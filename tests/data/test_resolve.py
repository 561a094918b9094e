"""Folders and CSV indices: what is read and what is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from dapt.data.resolve import load_data, load_photos, read_names
from dapt.errors import ConfigError, DaptError, DataError
from helpers import SHARED, make_csv, make_folder, needs_shared


def test_plain_folder_is_divided_reproducibly(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", per_class=10)
    data = load_data(str(root))
    assert data.names == ("blue disc", "green bar", "red square", "white ring")
    assert {split: len(items) for split, items in data.splits.items()} == {"train": 20, "val": 8, "test": 12}
    used = [item.name for items in data.splits.values() for item in items]
    assert len(set(used)) == 40
    assert data.splits == load_data(str(root)).splits


def test_folder_with_splits(tmp_path: Path) -> None:
    for split, count in (("train", 6), ("val", 2), ("test", 3)):
        make_folder(tmp_path / "photos" / split, per_class=count, classes=2)
    for folder in (tmp_path / "photos").glob("*-masks"):
        import shutil

        shutil.rmtree(folder)
    data = load_data(str(tmp_path / "photos"))
    assert [len(data.split(split)) for split in ("train", "val", "test")] == [12, 4, 6]
    assert data.split("test")[0].name.startswith("test/")


def test_folder_with_a_test_split_only(tmp_path: Path) -> None:
    make_folder(tmp_path / "photos" / "test", per_class=3, classes=2)
    import shutil

    shutil.rmtree(tmp_path / "photos" / "test-masks")
    data = load_data(str(tmp_path / "photos"))
    assert data.names == ("blue disc", "red square")
    assert {split: len(items) for split, items in data.splits.items()} == {"test": 6}


def test_linked_image_folder(tmp_path: Path) -> None:
    table = make_csv(tmp_path / "real")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "index.csv").write_text(table.read_text())
    for name in ("images", "masks"):
        (tmp_path / "linked" / name).symlink_to(tmp_path / "real" / name)
    assert len(load_data(str(tmp_path / "linked")).split("train")) == 16


def test_class_folder_without_images(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos")
    (root / "empty_one").mkdir()
    with pytest.raises(DataError, match=r"class folder .*empty_one holds no image"):
        load_data(str(root))


def test_folder_without_classes(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no class folders"):
        load_data(str(tmp_path))


def test_missing_data_names_the_closest(tmp_path: Path) -> None:
    make_folder(tmp_path / "butterflies")
    with pytest.raises(DataError, match="Did you mean 'butterflies'"):
        load_data(str(tmp_path / "buterflies"))


def test_missing_data_at_the_root_of_the_system_lists_nothing_of_it() -> None:
    with pytest.raises(DataError) as caught:
        load_data("/qzxjvwkqqq")
    assert "Available" not in str(caught.value.todo)
    assert "one sub-folder per class" in str(caught.value.todo)


def test_csv(tmp_path: Path) -> None:
    data = load_data(str(make_csv(tmp_path / "table", groups=True)))
    assert data.name == "table"
    assert data.names == ("red square", "blue disc", "green bar", "white ring")
    assert [len(data.split(split)) for split in ("train", "val", "test")] == [16, 8, 8]
    item = data.split("train")[1]
    assert item.group == "b"
    assert item.mask is not None
    assert item.mask.is_file()
    assert data.has_masks
    assert load_data(str(tmp_path / "table")).splits == data.splits


def rewrite(path: Path, change) -> Path:
    rows = list(csv.DictReader(path.open()))
    rows = [row for row in (change(index, dict(row)) for index, row in enumerate(rows)) if row is not None]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def drop(*columns: str):
    return lambda index, row: {key: value for key, value in row.items() if key not in columns}


def put(at: int, **values: str):
    return lambda index, row: {**row, **values} if index == at else row


def test_csv_with_names_only_or_labels_only(tmp_path: Path) -> None:
    data = load_data(str(rewrite(make_csv(tmp_path / "a"), drop("label"))))
    assert data.names == ("blue disc", "green bar", "red square", "white ring")
    data = load_data(str(rewrite(make_csv(tmp_path / "b"), drop("classname"))))
    assert data.names == ("class 0", "class 1", "class 2", "class 3")
    data = load_data(str(rewrite(make_csv(tmp_path / "c"), drop("split"))))
    assert all(data.split(split) for split in ("train", "val", "test"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop("image"), "no 'image' column"),
        (drop("label", "classname"), "neither a 'label' nor a 'classname' column"),
        (put(3, split="trian"), "line 5: there is no split 'trian'"),
        (put(3, image="../outside.png"), "line 5: '../outside.png' lies outside"),
        (put(3, image="/etc/passwd"), "'/etc/passwd' lies outside"),
        (put(3, mask="../../x.png"), "lies outside"),
        (put(3, label="cat"), "the label 'cat' is not a number"),
        (put(3, label="-7"), "the label -7 is negative"),
        (put(3, label="3"), "label 3 is 'white ring' here and 'red square' above"),
        (put(3, label="9", classname="new"), "no row has the label 4"),
        (put(3, label=str(10**15), classname="new"), "no row has the label 4"),
        (lambda index, row: {**row, "classname": "same"}, "Two classes of table are called 'same'"),
    ],
)
def test_csv_mistakes(tmp_path: Path, change, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_data(str(rewrite(make_csv(tmp_path / "table"), change)))


def test_names_files(tmp_path: Path) -> None:
    table = make_csv(tmp_path / "table")
    lines = tmp_path / "names.txt"
    lines.write_text("a\nb\nc\nd\n")
    assert load_data(str(table), str(lines)).names == ("a", "b", "c", "d")
    lines.write_text("\ufeffa_b\nb\nc\nd\n", encoding="utf-8")
    assert load_data(str(table), str(lines)).names == ("a b", "b", "c", "d")
    lines.write_text("a\nb\n")
    with pytest.raises(ConfigError, match="2 class names were given for 4 classes"):
        load_data(str(table), str(lines))
    mapping = tmp_path / "names.json"
    mapping.write_text(json.dumps({"red_square": "scarlet square"}))
    assert load_data(str(table), str(mapping)).names[0] == "scarlet square"
    mapping.write_text("5")
    with pytest.raises(ConfigError, match="a list of names, or an object"):
        load_data(str(table), str(mapping))
    mapping.write_text(json.dumps({"red sqare": "x"}))
    with pytest.raises(ConfigError, match="Did you mean 'red square'"):
        load_data(str(table), str(mapping))
    with pytest.raises(DaptError, match="cannot be read"):
        load_data(str(table), str(tmp_path / "absent.txt"))


@needs_shared
def test_real_indices() -> None:
    butterflies = load_data(str(SHARED / "data" / "leeds_butterfly"))
    assert len(butterflies.names) == 10
    assert [len(butterflies.split(split)) for split in ("train", "val", "test")] == [332, 98, 228]
    assert butterflies.has_masks
    objects = load_data(str(SHARED / "data" / "caltech101"))
    assert len(objects.names) == 50
    assert not objects.has_masks
    salient = load_data(str(SHARED / "data" / "ecssd"))
    assert salient.names == ()
    assert salient.labelled("train") == ()
    assert len(salient.split("train")) == 378


def test_a_misspelt_catalog_name_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="'oxford_pets'"):
        load_data("oxford_pet")
    with pytest.raises(DataError, match="dapt data list"):
        load_data("nothing_like_it")


def test_a_folder_called_like_a_catalog_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_folder(tmp_path / "dtd")
    with pytest.raises(DataError, match=r"\./dtd"):
        load_data("dtd", root=str(tmp_path / "nothing"))
    assert load_data("./dtd").name == "dtd"


def test_class_names_in_another_unicode_form(tmp_path: Path) -> None:
    root = make_folder(tmp_path / "photos", classes=2)
    (root / "blue_disc").rename(root / "cafe\u0301_bleu")
    assert load_data(str(root)).names == ("caf\u00e9 bleu", "red square")
    mapping = tmp_path / "names.json"
    for spelt in ("caf\u00e9_bleu", "cafe\u0301 bleu"):
        mapping.write_text(json.dumps({spelt: "blue"}))
        assert load_data(str(root), str(mapping)).names == ("blue", "red square")


def test_a_file_that_is_no_table(tmp_path: Path) -> None:
    for name, message in (("x.xlsx", "an Excel workbook"), ("x.png", "not a CSV index or a folder")):
        (tmp_path / name).touch()
        with pytest.raises(DataError, match=message):
            load_data(str(tmp_path / name))


def test_blanks_around_class_names_are_left_out(tmp_path: Path) -> None:
    for name in ("_background", "red_square", "cat_"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.jpg").touch()
    data = load_data(str(tmp_path))
    assert data.names == ("background", "cat", "red square")
    assert "Blanks around 2 class names are left out: 'background' for ' background'." in data.guessed


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_names_files_in_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "names.txt"
    path.write_bytes("M\u00fcller\r\ncaf\u00e9 bleu\r\n".encode(encoding))
    assert read_names(path, ("a", "b")) == ["M\u00fcller", "caf\u00e9 bleu"]
    path.write_bytes(b"\x00\x81\xff\x00\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_names(path, ("a", "b"))


@pytest.mark.parametrize("name", ["only.csv", "photos"])
def test_a_table_without_classes_is_one_of_photos(tmp_path: Path, capsys, name: str) -> None:
    """Where classes are not needed: for masks."""
    folder = make_folder(tmp_path / "photos", per_class=2)
    rows = [path.relative_to(tmp_path).as_posix() for path in sorted(folder.glob("*/*.png"))]
    (tmp_path / "only.csv").write_text("\n".join(["image", *rows]))
    if name == "photos":  # a table in a folder of loose pictures
        for row in rows:
            (tmp_path / row).rename(folder / row.replace("/", "_"))
        (folder / "metadata.csv").write_text("\n".join(["file_name", *(row.replace("/", "_") for row in rows)]))
    with pytest.raises(DataError, match="has neither a 'label' nor a 'classname' column"):
        load_data(str(tmp_path / name))
    found = load_photos(str(tmp_path / name))
    said = capsys.readouterr().err
    assert found.names == ()
    assert len(found.chosen("all")) == len(rows) == 8
    assert f"{found.name} names no classes: it is taken as 8 photos without classes." in said
    assert ("the column 'file_name' names the images" in said) == (name == "photos"), "what was guessed is said"
