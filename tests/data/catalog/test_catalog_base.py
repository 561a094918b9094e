"""What an entry of the catalog says of itself, and where catalog data lives. All entries: test_catalog.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dapt.data.catalog.base import CATALOG, Dataset, Download, Layout, data_root
from dapt.methods.templates import PHOTO, ZERO_SHOT


@pytest.mark.parametrize(
    ("url", "name", "kept"),
    [
        ("http://x/a/b.tar.gz", "", "b.tar.gz"),
        ("http://x/a/b.zip?raw=1", "", "b.zip"),
        ("http://x/a/", "", "a"),
        ("http://x/download?id=7", "c.json", "c.json"),
    ],
)
def test_the_name_of_a_download(url: str, name: str, kept: str) -> None:
    assert Download("images", url, name=name).file_name == kept


def test_images_that_serve_twice_are_counted_once() -> None:
    dataset = CATALOG.get("imagenet")
    assert dataset.reader.val_is_test
    counted = replace(dataset, counts={"train": 100, "val": 10, "test": 10})
    assert counted.images == 110
    assert replace(CATALOG.get("dtd"), counts={"train": 100, "val": 10, "test": 10}).images == 120


@pytest.mark.parametrize(
    ("images", "name"), [("images", "images/a/0.jpg"), ("deep/images", "images/a/0.jpg"), ("", "a/0.jpg")]
)
def test_names_of_images_and_back(images: str, name: str) -> None:
    layouts = (Layout("coop", "dtd", images), Layout("other", "x", "elsewhere"))
    dataset: Dataset = replace(CATALOG.get("dtd"), layouts=layouts)
    assert dataset.image_name("a/0.jpg") == name
    assert dataset.image_path(name) == "a/0.jpg"
    assert dataset.folder == "dtd"


def test_templates() -> None:
    dataset = CATALOG.get("dtd")
    assert dataset.template == ZERO_SHOT["dtd"]
    assert replace(dataset, own_template="{}!").template == "{}!"
    assert replace(dataset, name="new").template == PHOTO


def test_the_data_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DAPT_DATA", "~/named")
    assert data_root("/given") == Path("/given")
    assert data_root("~/given") == tmp_path / "given"
    assert data_root() == data_root("") == tmp_path / "named"
    monkeypatch.delenv("DAPT_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", "/cache")
    assert data_root() == Path("/cache/dapt/data")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data_root() == tmp_path / ".cache" / "dapt" / "data"
