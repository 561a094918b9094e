"""Data sets divided by CoOp's split files: read, divided anew, and told from others."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from catalog_helpers import picture, small_split, split_data, write
from dapt.data.catalog.base import CATALOG, Dataset, Download, Request
from dapt.data.catalog.places import require_place
from dapt.data.catalog.readers.coop_split import SplitFileReader, folder_class, is_published, renamed
from dapt.data.items import ImageSet
from dapt.errors import DataError


def read(dataset: Dataset, root: Path, **how: object) -> ImageSet:
    return dataset.reader.read(dataset, require_place(dataset, root), Request(root, **how))  # type: ignore[arg-type]


def test_rows_in_the_order_of_the_file(tmp_path: Path) -> None:
    data = read(split_data(tmp_path, "ucf101"), tmp_path)
    assert data.names == ("Apply Eye Makeup", "YoYo")
    expected = [(row[0], row[1]) for row in small_split("ucf101")["test"]]
    assert [(item.path.parent.name + "/" + item.path.name, item.label) for item in data.split("test")] == expected
    assert not data.own_split


def test_without_a_split_file_the_images_are_divided_on_request_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = split_data(tmp_path, "dtd", split_file=False)
    with pytest.raises(DataError, match=r"is missing in [\s\S]*--only split[\s\S]*--own-split"):
        read(dataset, tmp_path)
    data = read(dataset, tmp_path, own_split=True)
    assert "results compare with no others" in capsys.readouterr().err
    assert data.own_split
    assert data.names == ("banded", "zigzagged")
    # ten images of each class: 50, 20 and 30 percent
    for split, count in (("train", 5), ("val", 2), ("test", 3)):
        assert sorted(item.label for item in data.split(split)) == [0] * count + [1] * count
    assert len({item.path for item in data.chosen("all")}) == 20


def test_paths_that_do_not_tell_the_class_cannot_be_divided(tmp_path: Path) -> None:
    dataset = split_data(tmp_path, "dtd", split_file=False)
    blind = replace(dataset, reader=SplitFileReader(dataset.reader.file))
    with pytest.raises(DataError, match="cannot be divided anew"):
        read(blind, tmp_path, own_split=True)
    with pytest.raises(DataError) as caught:
        read(blind, tmp_path)
    assert "--own-split" not in str(caught.value)
    none = replace(dataset, reader=SplitFileReader(dataset.reader.file, class_of=lambda path: None))
    with pytest.raises(DataError, match="There are no images of"):
        read(none, tmp_path, own_split=True)


def test_classes_of_paths() -> None:
    assert folder_class("a/b/0.jpg") == "a/b"
    assert folder_class("0.jpg") is None
    named = renamed({"AnnualCrop": "Annual Crop Land"}, frozenset({"BACKGROUND"}))
    found = [named(path) for path in ("AnnualCrop/1.jpg", "Forest/1.jpg", "BACKGROUND/1.jpg", "1.jpg")]
    assert found == ["Annual Crop Land", "Forest", None, None]


def test_the_published_rows_in_any_spelling(tmp_path: Path) -> None:
    rows = {"train": [["a.jpg", 0, "ant"]], "val": [], "test": [["b.jpg", 0, "ant"]]}
    published = json.dumps(rows, indent=4, separators=(",", ": "))
    total = hashlib.sha256(published.encode()).hexdigest()
    dataset = replace(CATALOG.get("dtd"), sources=(Download("split", "http://x", checksum=f"sha256:{total}"),))
    path = tmp_path / "split.json"
    for text in (published, json.dumps(rows), json.dumps({**rows, "note": 1}), "\ufeff" + published):
        assert is_published(write(path, text), dataset) is True
    for text in (json.dumps({**rows, "val": [["c.jpg", 0, "ant"]]}), "{}", "[]", "no", '{"train": 1}'):
        assert is_published(write(path, text), dataset) is False
    assert is_published(path, replace(dataset, sources=())) is None
    with pytest.raises(DataError, match="cannot be read"):
        is_published(tmp_path / "absent.json", dataset)


def test_another_split_file_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dataset = split_data(tmp_path, "dtd")
    write(tmp_path / "dtd" / "images" / "banded" / "x.jpg", picture())
    read(dataset, tmp_path)
    assert "is not the published split file" in capsys.readouterr().err
    read(dataset, tmp_path)  # once
    assert capsys.readouterr().err == ""
