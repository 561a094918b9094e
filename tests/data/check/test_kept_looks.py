"""Looks are kept by path, size and time; a cache that is damaged or not to be had is done without."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from checked_data import good_look

from dapt.data.check import kept_looks as module
from dapt.data.check.kept_looks import KeptLooks, cache_file

PATHS = [Path("/d/a.jpg"), Path("/d/b.jpg"), Path("/d/\udcff.jpg")]


def keep(file: Path, **changes: object) -> None:
    kept = KeptLooks(file)
    kept.put([(path, (10, 20), good_look(**changes)) for path in PATHS])
    kept.close()


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "looks.sqlite"
    keep(file, thumb=bytes(range(256)), hash=2**64 - 1)
    kept = KeptLooks(file)
    found = kept.get([Path("/d/other.jpg"), *PATHS], [(10, 20)] * 4)
    assert sorted(found) == [1, 2, 3]
    assert found[3] == good_look(thumb=bytes(range(256)), hash=2**64 - 1)


def test_changed_files_are_not_known(tmp_path: Path) -> None:
    keep(tmp_path / "x")
    assert KeptLooks(tmp_path / "x").get(PATHS, [(10, 20), (11, 20), None]).keys() == {0}


def test_problems_are_tried_again(tmp_path: Path) -> None:
    keep(tmp_path / "x", problem="damaged")
    assert KeptLooks(tmp_path / "x").get(PATHS, [(10, 20)] * 3) == {}


def test_another_version_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path / "x")
    monkeypatch.setattr(module, "VERSION", 999)
    assert KeptLooks(tmp_path / "x").get(PATHS, [(10, 20)] * 3) == {}


def test_a_damaged_cache_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x").write_bytes(b"no database at all " * 100)
    kept = KeptLooks(tmp_path / "x")
    kept.put([(PATHS[0], (1, 2), good_look())])
    assert kept.get(PATHS, [(1, 2)] * 3) == {}
    assert "is not used" in capsys.readouterr().err
    assert (tmp_path / "x").read_bytes().startswith(b"no database"), "it may be somebody's"


def test_a_damaged_row_is_looked_at_again(tmp_path: Path) -> None:
    keep(tmp_path / "x")
    with sqlite3.connect(tmp_path / "x") as base:
        base.execute("update looks set look = '{}' where path = ?", (b"/d/a.jpg",))
    assert KeptLooks(tmp_path / "x").get(PATHS, [(10, 20)] * 3).keys() == {1, 2}


def test_a_place_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("x")
    assert KeptLooks(tmp_path / "file" / "looks.sqlite").get(PATHS, [(1, 2)] * 3) == {}
    assert "is not used" in capsys.readouterr().err


def test_no_cache() -> None:
    kept = KeptLooks(None)
    kept.put([(PATHS[0], (1, 2), good_look())])
    assert kept.get(PATHS, [(1, 2)] * 3) == {}


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_file() == tmp_path / "dapt" / "looks.sqlite"
