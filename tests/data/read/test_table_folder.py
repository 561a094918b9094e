"""Folders with a table of their images."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.csv_index import NOT_LISTED
from dapt.data.read.table_folder import Look, find_tables, read_table_folder
from dapt.data.resolve import load_data
from dapt.errors import DataError


def make(folder: Path, files: dict[str, str]) -> Path:
    """Files by name; pictures are empty."""
    for name, text in files.items():
        for each in name.split():
            (folder / each).parent.mkdir(parents=True, exist_ok=True)
            (folder / each).write_text(text, encoding="utf-8")
    return folder


def splits(folder: Path) -> dict[str, list[str]]:
    data = read_table_folder(folder)
    assert data is not None
    return {split: [item.name for item in items] for split, items in data.splits.items()}


IMAGES = {"images/1.jpg images/2.jpg images/3.jpg": ""}
CLASSES = {"cat/1.jpg cat/2.jpg dog/3.jpg": ""}
LABELS = "id,breed\n1,pug\n2,husky\n3,pug\n"


@pytest.mark.parametrize("name", ["labels.csv", "train.csv", "anything.tsv"])
def test_images_beside_a_table(tmp_path: Path, name: str) -> None:
    text = LABELS.replace(",", "\t") if name.endswith("tsv") else LABELS
    data = read_table_folder(make(tmp_path / "dogs", {**IMAGES, "images/4.jpg": "", name: text}))
    assert data is not None
    assert (data.name, data.names) == ("dogs", ("husky", "pug"))
    assert sorted(item.name for items in data.splits.values() for item in items) == [
        f"images/{number}.jpg" for number in (1, 2, 3)
    ]
    assert data.unused == {NOT_LISTED: ("images/4.jpg",)}
    assert name in data.layout
    assert load_data(str(tmp_path / "dogs")).splits == data.splits


def test_a_competition(tmp_path: Path) -> None:
    """Test images without classes are counted; a sample of what is to be handed in is no table of classes."""
    files = {"train/1.jpg train/2.jpg test/1.jpg test/9.jpg": "", "train.csv": "id,label\n1,cat\n2,dog\n"}
    files |= {"test.csv": "id\n1\n9\n", "sample_submission.csv": "id,label\n1,cat\n9,cat\n"}
    data = read_table_folder(make(tmp_path, files))
    assert data is not None
    assert {item.name for items in data.splits.values() for item in items} == {"train/1.jpg", "train/2.jpg"}
    assert data.unused == {
        NOT_LISTED: ("test/1.jpg", "test/9.jpg"),
        "texts and tables": ("sample_submission.csv", "test.csv"),
    }


def test_a_table_for_each_split(tmp_path: Path) -> None:
    files = {"Train/0/a.png Train/1/b.png Test/c.png": ""}
    files |= {
        "Train.csv": "Path,ClassId\nTrain/0/a.png,0\nTrain/1/b.png,1\n",
        "Test.csv": "Path,ClassId\nTest/c.png,1\n",
    }
    files |= {"Meta.csv": "Path,ClassId,Shape\nMeta/0.png,0,1\n"}
    assert splits(make(tmp_path, files)) == {"train": ["Train/0/a.png", "Train/1/b.png"], "test": ["Test/c.png"]}


def test_images_in_two_tables(tmp_path: Path) -> None:
    files = {**IMAGES, "train.csv": "id,label\n1,cat\n2,dog\n", "val.csv": "id,label\n2,dog\n3,cat\n"}
    with pytest.raises(DataError, match=r"two splits .*\(train.csv line 3: train, val.csv line 2: val\)"):
        read_table_folder(make(tmp_path, files))


@pytest.mark.parametrize("name", ["metadata.csv", "metadata.jsonl"])
def test_imagefolder(tmp_path: Path, name: str) -> None:
    rows = [("train/1.jpg", "cat"), ("train/2.jpg", "dog"), ("test/3.jpg", "cat")]
    text = "\n".join(f'{{"file_name": "{file}", "label": "{label}"}}' for file, label in rows)
    if name.endswith("csv"):
        text = "file_name,label\n" + "\n".join(",".join(row) for row in rows)
    files = {"train/1.jpg train/2.jpg test/3.jpg": "", name: text}
    assert splits(make(tmp_path, files)) == {"train": ["train/1.jpg", "train/2.jpg"], "test": ["test/3.jpg"]}


def test_imagefolder_with_a_table_in_each_split(tmp_path: Path) -> None:
    files = {"train/1.jpg train/2.jpg validation/1.jpg": ""}
    files |= {"train/metadata.csv": "file_name,label\n1.jpg,cat\n2.jpg,dog\n"}
    folder = make(tmp_path, files)
    with pytest.raises(DataError, match=r"validation has no metadata\.csv") as caught:
        read_table_folder(folder)
    assert caught.value.todo
    make(folder, {"validation/metadata.csv": "file_name,label\n1.jpg,dog\n"})
    assert splits(folder) == {"train": ["train/1.jpg", "train/2.jpg"], "val": ["validation/1.jpg"]}


def test_one_hot_in_each_split(tmp_path: Path) -> None:
    files = {"train/1.jpg train/2.jpg valid/3.jpg": ""}
    files |= {"train/_classes.csv": "filename, dog, cat\n1.jpg, 1, 0\n2.jpg, 0, 1\n"}
    files |= {"valid/_classes.csv": "filename, dog, cat\n3.jpg, 1, 1\n"}
    data = read_table_folder(make(tmp_path, files))
    assert data is not None
    assert data.names == ("dog", "cat")
    assert data.multi_label
    assert data.split("val")[0].labels == (0, 1)


def test_class_folders_stay_class_folders(tmp_path: Path) -> None:
    """A table beside them is no reason to read them in another way."""
    folder = make(tmp_path, {**CLASSES, "notes.csv": "file,colour\ncat/1.jpg,red\ncat/2.jpg,red\ndog/3.jpg,blue\n"})
    assert find_tables(folder) == {}
    assert load_data(str(folder)).names == ("cat", "dog")
    make(folder, {"labels.csv": "file,label\ncat/1.jpg,red\ncat/2.jpg,red\ndog/3.jpg,blue\n"})
    assert find_tables(folder) == {}
    make(folder, {"metadata.csv": "file_name,text\ncat/1.jpg,a cat\ncat/2.jpg,my cat\ndog/3.jpg,a dog\n"})
    assert find_tables(folder) == {}  # it has no classes
    assert load_data(str(folder)).names == ("cat", "dog")
    make(folder, {"metadata.csv": "file_name,label\ncat/1.jpg,red\ncat/2.jpg,red\ndog/3.jpg,blue\n"})
    assert [path.name for path in find_tables(folder)] == ["metadata.csv"]


def test_several_tables_are_refused_by_name(tmp_path: Path) -> None:
    folder = make(tmp_path, {**IMAGES, "a.csv": LABELS, "b.csv": LABELS})
    with pytest.raises(DataError, match=r"several tables that name its images: a\.csv, b\.csv") as caught:
        read_table_folder(folder)
    assert "a.csv" in caught.value.todo


def test_tables_that_name_other_files_are_none(tmp_path: Path) -> None:
    folder = make(tmp_path, {**IMAGES, "sizes.csv": "a,b\n1,2\n", "README.txt": "Hello."})
    assert find_tables(folder) == {}
    make(folder, {"other.csv": "image,label\nx.png,1\n"})
    with pytest.raises(DataError, match=r"other\.csv beside them cannot be used: .*'image' .*0% .*x\.png"):
        find_tables(folder)


def test_an_index_comes_first(tmp_path: Path) -> None:
    folder = make(tmp_path, {**IMAGES, "index.csv": "image,label\nimages/1.jpg,0\n", "labels.csv": LABELS})
    data = read_table_folder(folder)
    assert data is not None
    assert [item.name for items in data.splits.values() for item in items] == ["images/1.jpg"]
    assert data.unused[NOT_LISTED] == ("images/2.jpg", "images/3.jpg")


def test_folders_that_are_no_classes(tmp_path: Path) -> None:
    """The images of a data set in two folders, and their classes in a table: neither is taken silently."""
    files = {"part_1/a.jpg part_1/b.jpg part_2/c.jpg": "", "labels.csv": "image_id,dx\na,nv\nb,mel\nc,nv\n"}
    folder = make(tmp_path, files)
    with pytest.raises(DataError, match=r"folders that look like classes, and labels\.csv") as caught:
        read_table_folder(folder)
    assert str(folder / "labels.csv") in caught.value.todo
    data = load_data(str(folder / "labels.csv"))
    assert data.names == ("mel", "nv")
    assert {item.name for items in data.splits.values() for item in items} == {
        "part_1/a.jpg",
        "part_1/b.jpg",
        "part_2/c.jpg",
    }


@pytest.mark.parametrize(
    "rows",
    ["1.jpg,cat\n2.jpg,dog\n", "images/1.jpg,cat\nimages/2.jpg,dog\n", "../images/1.jpg,cat\n../images/2.jpg,dog\n"],
)
def test_a_table_in_a_folder_of_its_own(tmp_path: Path, rows: str) -> None:
    data = read_table_folder(make(tmp_path, {**IMAGES, "annotations/labels.csv": f"image,label\n{rows}"}))
    assert data is not None
    assert {item.name for items in data.splits.values() for item in items} == {"images/1.jpg", "images/2.jpg"}
    assert data.unused == {NOT_LISTED: ("images/3.jpg",)}


def test_a_workbook_is_named(tmp_path: Path) -> None:
    folder = make(tmp_path, {**IMAGES, "labels.xlsx": "PK"})
    with pytest.raises(DataError, match=r"labels\.xlsx is an Excel workbook") as caught:
        load_data(str(folder))
    assert "CSV" in caught.value.todo
    make(folder, {"labels.csv": LABELS})
    assert load_data(str(folder)).names == ("husky", "pug")


def test_a_table_with_faults_is_named_where_there_is_nothing_else(tmp_path: Path) -> None:
    folder = make(tmp_path, {**IMAGES, "x.csv": "file,class,class_name\n1.jpg,a,b\n2.jpg,c,d\n"})
    with pytest.raises(DataError, match="several columns that may hold the classes: 'class', 'class_name'"):
        load_data(str(folder))
    make(folder, {"labels.txt": "1 cat\n2 dog\n"})
    assert load_data(str(folder)).names == ("cat", "dog")


def test_boxes_in_each_split(tmp_path: Path) -> None:
    files = {"train/1.jpg train/2.jpg test/3.jpg": ""}
    header = "filename,class,xmin,ymin,xmax,ymax\n"
    files |= {"train/_annotations.csv": f"{header}1.jpg,cat,0,0,1,1\n1.jpg,cat,1,1,2,2\n2.jpg,dog,0,0,1,1\n"}
    files |= {"test/_annotations.csv": f"{header}3.jpg,cat,0,0,1,1\n"}
    assert splits(make(tmp_path, files)) == {"train": ["train/1.jpg", "train/2.jpg"], "test": ["test/3.jpg"]}


def test_annotations_of_other_kinds_are_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may be huge, or thousands."""
    files = {
        **CLASSES,
        "images/1.jpg": "",
        "coco.json": '{"info": {}, "images": [], "annotations": []}',
        "1.txt": "0 1 1 1 1",
    }
    files |= {
        "labels/1.txt": "0 0.5 0.5 1 1",
        "1.jpg": "",
        "annotations/a.json": "[]",
        "labels.json": '{"1.jpg": "cat"}',
    }
    folder = make(tmp_path, files)
    read = []
    monkeypatch.setattr("dapt.data.read.table_folder._look", lambda path, files=None: read.append(path.name) or Look())
    assert find_tables(folder) == {}
    assert read == ["labels.json"]


def test_a_folder_around_it(tmp_path: Path) -> None:
    folder = make(
        tmp_path / "dogs", {**{f"a/b/{name}": "" for name in ("images/1.jpg", "images/2.jpg")}, "__MACOSX/x": ""}
    )
    assert read_table_folder(folder) is None
    data = read_table_folder(make(folder, {"a/b/labels.csv": "id,breed\n1,pug\n2,husky\n"}))
    assert data is not None
    assert (data.name, data.names, data.root) == ("dogs", ("husky", "pug"), folder / "a" / "b")
    assert data.layout.startswith("in a/: in b/: a table (labels.csv)")
    assert data.divided


def test_a_table_without_classes_is_told_so(tmp_path: Path) -> None:
    folder = make(tmp_path, {**IMAGES, "train.csv": "image_id,width,bbox\n1,5,x\n2,6,y\n3,7,z\n"})
    with pytest.raises(DataError, match=r"train\.csv has neither a 'label' nor a 'classname'"):
        load_data(str(folder))
