"""What wrote a table of outlines, by its head."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.config import make_config
from dapt.data.masks.mask_files import check_format
from dapt.data.masks.table_kinds import table_format
from dapt.errors import ConfigError
from mask_exports import BOXES, EXPORTS, save

TABLES = {name: each for name, each in EXPORTS.items() if not name.startswith(("alpha", "suffix", "instance"))}
TABLES = {name: each for name, each in TABLES.items() if name not in ("voc", "voc colours")}


@pytest.mark.parametrize("export", TABLES)
def test_each_export_is_known(tmp_path: Path, export: str) -> None:
    format, write = TABLES[export]
    write(tmp_path, BOXES)
    files = [path for path in tmp_path.rglob("*") if path.suffix in (".json", ".xml", ".txt")]
    assert files
    assert {table_format(path) for path in files} == {format}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_encodings_of_windows(tmp_path: Path, encoding: str) -> None:
    save(tmp_path / "a.xml", '<?xml version="1.0"?><annotations><image/></annotations>', encoding)
    assert table_format(tmp_path / "a.xml") == "cvat"


def test_other_files_are_none(tmp_path: Path) -> None:
    for name, text in (("a.json", '{"a": 1}'), ("a.txt", "cat\ndog\n"), ("a.xml", "<html/>"), ("a.csv", "1 2 3 4 5")):
        save(tmp_path / name, text)
        assert table_format(tmp_path / name) == ""
    assert table_format(tmp_path / "none.json") == ""


@pytest.mark.parametrize("kind", ["coco", "label-studio"])
def test_a_format_of_annotations_as_one_of_mask_files(kind: str) -> None:
    told = f"'{kind}' is a format of annotations, not of mask files: 'dapt masks import FOLDER --format {kind} --data"
    with pytest.raises(ConfigError, match=f"There is no mask format '{kind}'.*\n{told}"):
        check_format(kind)
    with pytest.raises(ConfigError, match=told):
        make_config({"data": "-", "mask_format": kind})
    with pytest.raises(ConfigError, match="Input should be 'binary'"):
        make_config({"data": "-", "mask_format": "cocoa"})
