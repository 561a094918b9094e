"""The files of an export."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.mask_imports.source import KEPT, Source
from dapt.errors import ConfigError, DataError
from mask_exports import save


def test_tables_by_kind(tmp_path: Path) -> None:
    for name in ("b/a.JSON", "a.json", "a.xml", "a.txt", "a.csv", ".hidden.json"):
        save(tmp_path / name, "{}")
    source = Source(tmp_path)
    assert (source.jsons, source.xmls, source.texts) == (["a.json", "b/a.JSON"], ["a.xml"], ["a.txt"])
    one = Source(tmp_path / "b" / "a.JSON")
    assert (one.top, one.jsons, one.texts) == (tmp_path / "b", ["a.JSON"], [])


def test_what_is_parsed_is_kept_while_it_is_little(tmp_path: Path) -> None:
    for number in range(KEPT + 1):
        save(tmp_path / f"{number}.json", '["a"]')
    source = Source(tmp_path)
    assert all(source.json(name) == ["a"] for name in source.jsons)
    assert source.json(source.jsons[0]) is source.json(source.jsons[0])
    assert source.json(source.jsons[-1]) is not source.json(source.jsons[-1])


def test_what_cannot_be_read(tmp_path: Path) -> None:
    save(tmp_path / "a.json", '{"a": [1,')
    save(tmp_path / "b.xml", "<a>")
    save(tmp_path / "c.json", "{}")
    source = Source(tmp_path)
    with pytest.raises(DataError, match=r"a\.json cannot be read"):
        source.json("a.json")
    assert source.xml_or_none("b.xml") is None
    assert [each.partition(" cannot")[0].rpartition("/")[2] for each in source.unreadable()] == ["a.json", "b.xml"]


def test_what_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "a.zip").touch()
    with pytest.raises(ConfigError, match="is packed"):
        Source(tmp_path / "a.zip")
    with pytest.raises(ConfigError, match="There is no folder or file"):
        Source(tmp_path / "none")
