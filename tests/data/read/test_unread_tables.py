"""Tables beside photographs in no class folders: read, or refused by their own error, never passed over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.items import ImageSet
from dapt.data.read.row_paths import Files
from dapt.data.read.table_folder import find_tables
from dapt.data.read.unread_tables import lie_in_no_classes
from dapt.data.resolve import load_data
from dapt.errors import DataError

PHOTOS = ("00000.jpg", "00001.jpg", "00002.jpg", "00003.jpg")
NAMES = ("кот", "собака")


def make(folder: Path, name: str, content: bytes | str, photos: tuple[str, ...] = PHOTOS) -> Path:
    for photo in photos:
        path = folder / "images" / photo
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def csv(cells: list[str], header: str = "image,label") -> str:
    return "\n".join([header, *(f"{cell},{'cat' if row % 2 else 'dog'}" for row, cell in enumerate(cells))]) + "\n"


REFUSED = [
    ("labels.csv", csv(list(PHOTOS)).replace("cat", NAMES[0]).replace("dog", NAMES[1]).encode("cp1251"), "no text"),
    ("labels.csv", csv(list(PHOTOS)).replace("cat", "猫").replace("dog", "犬").encode("shift_jis"), "no text"),
    ("labels.csv", csv(list(PHOTOS)).replace("cat", "c\0t"), "no text|zero"),
    ("labels.csv", csv(list(PHOTOS)) + "00003.jpg,cat, wild\n", "3 fields"),
    ("labels.csv", csv([f"https://x.org/{name}" for name in PHOTOS]), "address"),
    ("labels.csv", csv([f"gs://bucket/{name}" for name in PHOTOS]), "address"),
    ("labels.csv", b"PK\x03\x04 and so on", "Excel workbook"),
    ("labels.csv", "<html><body></body></html>", "web page"),
    ("labels.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    ("labels.csv", csv(["u.jpg", "v.jpg", "w.jpg"]), "0% of its images"),
    ("labels.csv", csv(["u", "v", "w"], "Id,Category"), "."),
    ("labels.jsonl", '{"data": {"file": "00000.jpg"}, "label": "cat"}\n', "no 'image' column"),
    ("labels.jsonl", '{"data": {"file": "00000.jpg", "label": "cat"}}\n', "no 'image' column"),
    ("labels.pkl", b"x", "a pickle"),
    ("trainval.txt", "00000 1 1 1\n00001 1 1 1\n", "no 'image' column"),
    ("annotations/trainval.txt", "a_1 1 1 1\na_2 1 1 1\nb_1 2 1 1\n", "list|is not read"),
]


@pytest.mark.parametrize(("name", "content", "message"), REFUSED)
def test_refused_by_its_own_error(tmp_path: Path, name: str, content: bytes | str, message: str) -> None:
    photos = ("a_1.jpg", "a_2.jpg", "b_1.jpg") if "/" in name else PHOTOS
    folder = make(tmp_path, name, content, photos)
    with pytest.raises(DataError, match=rf"{name} beside them cannot be used: .*({message})") as caught:
        load_data(str(folder))
    assert caught.value.todo


@pytest.mark.parametrize("text", ["Photos of my pets.\nTaken in 2020, 2021.\n", "cat\ndog\n"])
def test_texts_about_something_else(tmp_path: Path, text: str) -> None:
    """They are no reason; a folder of images alone is refused elsewhere."""
    assert find_tables(make(tmp_path, "notes.txt", text)) == {}


def classes(data: ImageSet) -> dict[str, str]:
    return {item.name: data.names[item.label] for items in data.splits.values() for item in items}


READ = [
    ("labels.csv", "# exported\n# 2020, by hand\n" + csv(list(PHOTOS))),
    ("labels.csv", csv(list(PHOTOS), "#image,label")),
    ("labels.csv", csv(["0", "1", "2", "3"], "Id,Category")),
    ("labels.csv", csv(["0000", "0001", "0002", "0003"], "Id,Category")),
    ("labels.csv", csv(list(PHOTOS), ",label")),
    ("labels.csv", csv(["0", "1", "2", "3"], ",label")),
    ("labels.csv", "id,image_id,label\n7,00000,dog\n8,00001,cat\n9,00002,dog\n10,00003,cat\n"),
    ("labels.json", '{"dog": ["00000.jpg", "00002.jpg"], "cat": ["00001.jpg", "00003.jpg"]}'),
    ("labels.csv", csv([f"file:///home/me/all/{name}" for name in PHOTOS])),
    ("labels.csv", csv([f"/home/me/all/{name}" for name in PHOTOS])),
    ("labels.json", json.dumps({n: {"label": "cat" if place % 2 else "dog"} for place, n in enumerate(PHOTOS)})),
    ("labels.json", '{"train": {"dog": ["00000.jpg", "00002.jpg"]}, "test": {"cat": ["00001.jpg", "00003.jpg"]}}'),
]


@pytest.mark.parametrize(("name", "content"), READ)
def test_read(tmp_path: Path, name: str, content: str) -> None:
    data = load_data(str(make(tmp_path, name, content)))
    assert classes(data) == {f"images/{photo}": "cat" if place % 2 else "dog" for place, photo in enumerate(PHOTOS)}


def test_addresses_of_files_in_the_folder(tmp_path: Path) -> None:
    folder = make(tmp_path / "a b", "labels.csv", "", PHOTOS)
    (folder / "labels.csv").write_text(csv([(folder / "images" / name).as_uri() for name in PHOTOS]), encoding="utf-8")
    assert set(classes(load_data(str(folder)))) == {f"images/{name}" for name in PHOTOS}


def test_photos_in_one_folder_of_any_name(tmp_path: Path) -> None:
    make(tmp_path, "labels.csv", csv(list(PHOTOS)) + "00003.jpg,cat, wild\n")
    (tmp_path / "images").rename(tmp_path / "photos_2020")
    with pytest.raises(DataError, match=r"labels\.csv beside them cannot be used"):
        load_data(str(tmp_path))


def test_class_folders_are_no_such_case(tmp_path: Path) -> None:
    folder = make(tmp_path, "labels.csv", csv(["u.jpg", "v.jpg"]), ("cat/1.jpg", "dog/2.jpg"))
    assert not lie_in_no_classes(Files(folder))
    assert load_data(str(folder)).names == ("cat", "dog")
