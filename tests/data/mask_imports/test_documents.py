"""Formats of JSON and XML files, read one after another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dapt.data.mask_imports.base import Asked
from dapt.data.mask_imports.formats.cvat import CvatImport
from dapt.data.mask_imports.formats.labelme import LabelmeImport
from dapt.data.mask_imports.source import Source
from dapt.errors import DataError
from mask_exports import corners, cvat, labelme, save, shape


def test_files_of_others_and_damaged_ones(tmp_path: Path) -> None:
    save(tmp_path / "a.json", '{"shapes": [')
    save(tmp_path / "b.json", json.dumps({"version": 1}))
    save(tmp_path / "c.json", labelme("c.jpg", [shape("cat", corners((1, 1, 5, 5)))]))
    source = Source(tmp_path)
    assert LabelmeImport().evidence(source, Asked()) == "c.json has shapes and an imagePath"
    found = LabelmeImport().read(source, Asked())
    assert found.files == ["c.json"]
    assert len(found.pictures) == len(found.damaged) == 1
    assert "a.json cannot be read" in found.damaged[0]


def test_a_damaged_file_alone_is_named(tmp_path: Path) -> None:
    save(tmp_path / "a.json", '{"shapes": [')
    with pytest.raises(DataError, match=r"a\.json cannot be read"):
        LabelmeImport().read(Source(tmp_path), Asked())
    with pytest.raises(DataError, match="holds no XML of CVAT"):
        CvatImport().read(Source(tmp_path), Asked())


def test_xml(tmp_path: Path) -> None:
    save(tmp_path / "a.json", "{}")
    save(tmp_path / "a.xml", cvat(""))
    assert CvatImport().evidence(Source(tmp_path), Asked()) == "a.xml is an XML file of CVAT"
    assert CvatImport().read(Source(tmp_path), Asked()).labels == {"cat": None, "dog": None}
