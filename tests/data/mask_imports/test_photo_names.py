"""Which photograph a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.items import Item
from dapt.data.mask_imports.photo_names import PhotoNames, beside, may_be_one, path_key


def match(photos: list[str], *names: str, near: str = "", strict: bool = True) -> list[str]:
    """The photographs that may be meant."""
    items = [Item(Path("/data") / photo, 0, photo) for photo in photos]
    return [item.name for item in PhotoNames(items, strict=strict).match(names, near)]


PHOTOS = ["cat/1.jpg", "dog/1.jpg", "cat/Über 2.JPG", "cat/x.y.jpg"]


@pytest.mark.parametrize(
    ("name", "photo"),
    [
        ("cat/1.jpg", "cat/1.jpg"),
        ("images/dog/1.jpg", "dog/1.jpg"),
        ("C:\\Users\\me\\dog\\1.jpg", "dog/1.jpg"),
        ("/data/local-files/?d=dog/1.jpg", "dog/1.jpg"),
        ("https://example.org/some/dog/1.jpg?token=a", "dog/1.jpg"),
        ("dog/1.png", "dog/1.jpg"),  # saved as another kind
        ("dog/1", "dog/1.jpg"),
        ("x.y", "cat/x.y.jpg"),
        ("\u00fcber 2.jpg", "cat/Über 2.JPG"),
        ("u\u0308ber%202.jpg", "cat/Über 2.JPG"),
        ("/data/upload/4/0a1b2c3d-x.y.jpg", "cat/x.y.jpg"),
    ],
)
def test_ways_of_naming_one(name: str, photo: str) -> None:
    assert match(PHOTOS, name) == [photo]


def test_a_folder_that_contradicts() -> None:
    assert match(["dog/7.jpg"], "cat/7.jpg") == []
    assert match(["dog/7.jpg"], "cat/7.jpg", strict=False) == ["dog/7.jpg"]
    assert match(["dog/images/7.jpg", "cat/7.jpg"], "cat/images/7.jpg") == ["cat/7.jpg"]
    assert match(["dog/7.jpg"], "images/7.jpg") == ["dog/7.jpg"], "a folder that tells nothing"
    assert match(["dog/7.jpg"], "/home/me/7.jpg") == ["dog/7.jpg"], "a path of another machine"


def test_several_and_what_settles_it() -> None:
    assert match(PHOTOS, "1.jpg") == ["cat/1.jpg", "dog/1.jpg"]
    splits = ["train2017/1.jpg", "val2017/1.jpg"]
    assert match(splits, "1.jpg", near="annotations/instances_val2017.json") == ["val2017/1.jpg"]
    assert match(["a/1.jpg", "a/1.png"], "a/1.png") == ["a/1.png"]
    assert match(["a/1.jpg", "a/1.png"], "a/1") == ["a/1.jpg", "a/1.png"]


def test_names_in_order() -> None:
    assert match(PHOTOS, "unknown.jpg", "dog/1") == ["dog/1.jpg"]
    assert match(PHOTOS, "unknown.jpg") == match(PHOTOS, "") == match(PHOTOS, "..") == []


@pytest.mark.parametrize(
    ("file", "said", "path"),
    [
        ("a/f.json", "1.jpg", "a/1.jpg"),
        ("a/b/f.json", "..\\c\\1.jpg", "a/c/1.jpg"),
        ("a/f.json", "/home/1.jpg", "/home/1.jpg"),
        ("a/f.json", "C:\\me\\1.jpg", "C:/me/1.jpg"),
        ("a/f.json", "https://example.org/1.jpg", "https://example.org/1.jpg"),
    ],
)
def test_paths_from_where_a_file_lies(file: str, said: str, path: str) -> None:
    assert beside(file, said) == path


def test_two_names_of_one_picture() -> None:
    assert may_be_one(path_key("train/images/1.jpg"), path_key("1.JPG"))
    assert not may_be_one(path_key("cat/1.jpg"), path_key("dog/1.jpg"))
    assert not may_be_one(path_key("1.jpg"), path_key("1.png"))
    assert not may_be_one(path_key(""), path_key("1.png"))
