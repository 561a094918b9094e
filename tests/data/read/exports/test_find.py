"""Which export a folder is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.read.exports.find import READERS, read_export
from dapt.data.read.tree import look_through
from dapt.errors import DataError
from helpers import fill


def test_none(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg", "notes.txt", "x.json", "y.xml")
    (tmp_path / "x.json").write_text("[]")
    (tmp_path / "y.xml").write_text("<a/>")
    tree = look_through(tmp_path)
    assert read_export(tree, tree.pictures, {}) is None
    assert len(READERS) == 3


def test_an_export_of_no_class_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "images/a.jpg")
    content = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    (tmp_path / "coco.json").write_text(json.dumps(content))
    tree = look_through(tmp_path)
    with pytest.raises(DataError, match="names no class of any photo"):
        read_export(tree, tree.pictures, {})
