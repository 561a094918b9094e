"""`dapt data list`: every data set, with what is on disk below the root."""

from __future__ import annotations

from pathlib import Path

from dapt.data.catalog.base import CATALOG


def test_every_data_set_has_a_line(dapt, tmp_path: Path) -> None:
    code, out, err = dapt("data", "list", "--root", tmp_path)
    assert (code, err) == (0, "")
    first = [line.split()[0] for line in out.splitlines() if line.split()]
    assert all(first.count(name) == 1 for name in CATALOG.names())


def test_the_root_may_come_from_the_environment(dapt, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("DAPT_DATA", str(tmp_path / "env"))
    by_environment = dapt("data", "list")
    assert str(tmp_path / "env") in by_environment[1]
    assert dapt("data", "list", "--root", tmp_path / "env") == by_environment
