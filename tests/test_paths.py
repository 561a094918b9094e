"""Paths as people write them, and whether two of them are one place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.paths import as_written, both_ways, resolved, same, user_cache, with_home, within


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert with_home("~/runs/x") == str(tmp_path / "runs" / "x")
    assert with_home("~") == str(tmp_path)
    for other in ("runs/~", "./~/x", "", "/a/~b", "~nobody-of-that-name/x", "~backup.csv"):
        assert with_home(other) == other


def test_a_home_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(self: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", unknown)
    for path in ("~", "~/x"):
        with pytest.raises(ConfigError, match=f"not known what ~ in {path} stands for"):
            with_home(path)
    assert with_home("~x") == "~x"


def test_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert user_cache() == tmp_path / "cache" / "dapt"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache() == tmp_path / ".cache" / "dapt"


def test_written_and_resolved_differ_where_links_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "real" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "real" / "inner")
    monkeypatch.chdir(tmp_path)
    path = Path("link/../x")
    assert as_written(path) == tmp_path / "x"
    assert resolved(path) == Path(os.path.realpath(tmp_path)) / "real" / "x"
    assert both_ways(path) == (as_written(path), resolved(path))


def test_one_place_under_several_names(tmp_path: Path) -> None:
    there = tmp_path / "a.txt"
    there.write_text("x")
    (tmp_path / "soft").symlink_to(there)
    (tmp_path / "hard").hardlink_to(there)
    (tmp_path / "copy").write_text("x")
    assert same(there, tmp_path / "b" / ".." / "a.txt")
    assert same(there, tmp_path / "soft")
    assert same(tmp_path / "hard", there)
    assert not same(there, tmp_path / "copy")
    assert same(tmp_path / "absent", tmp_path / "." / "absent")  # nothing need be there
    assert not same(tmp_path / "absent", there)


def test_lying_in_a_folder(tmp_path: Path) -> None:
    inside = tmp_path / "runs" / "one"
    inside.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    (tmp_path / "outside").mkdir()
    (tmp_path / "runs" / "away").symlink_to(tmp_path / "outside")
    runs = tmp_path / "runs"
    assert within(runs, runs)
    assert within(inside / "not" / "there", runs)
    assert within(tmp_path / "link" / "one", runs)
    assert within(inside, tmp_path / "link")
    assert within(runs / "away", runs)  # by its name
    assert within(runs / "away" / "x", tmp_path / "outside")  # by where it leads
    assert not within(tmp_path, runs)
    assert not within(tmp_path / "runs-2", runs)
    assert not within(runs / "..", runs)
