"""Folders that an audit fills: whole or not at all, and never over what is somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.runs.audit_folder import COMPOSITES, RESULTS, AuditFolder


def made(path: Path, kind: str = RESULTS, *, overwrite: bool = False, files: tuple[str, ...] = ("a.json", "b")) -> None:
    with AuditFolder(path, kind, "--out").open(files, overwrite=overwrite) as root:
        for name in files:
            (root / name).write_text(name)


def test_again_only_with_overwrite(tmp_path: Path) -> None:
    made(tmp_path / "o")
    with pytest.raises(ConfigError, match=r"holds an audit[\s\S]*--overwrite"):
        made(tmp_path / "o")
    made(tmp_path / "o", overwrite=True, files=("a.json", "c"))
    assert sorted(path.name for path in (tmp_path / "o").iterdir() if path.name[0] != ".") == ["a.json", "c"]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match="holds what dapt did not write, so it is left alone"):
        made(tmp_path / "mine", overwrite=True)
    made(tmp_path / "o")
    (tmp_path / "o" / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        made(tmp_path / "o", overwrite=True)
    assert (tmp_path / "o" / "a.json").is_file()
    with pytest.raises(ConfigError, match="holds an audit, so it is left alone"):
        made(tmp_path / "o", COMPOSITES, overwrite=True)


def test_an_unfinished_one_is_known(tmp_path: Path) -> None:
    killed = AuditFolder(tmp_path / "o", RESULTS, "--out").open(["a.json", "b"], overwrite=False)
    (killed.__enter__() / "b").write_text("b")
    killed.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with pytest.raises(ConfigError, match="or an unfinished one"):
        AuditFolder(tmp_path / "o", RESULTS, "--out").check(overwrite=False)
    made(tmp_path / "o", overwrite=True)
    assert (tmp_path / "o" / "a.json").is_file()


def test_places_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="is a file"):
        AuditFolder(tmp_path / "file" / "o", RESULTS, "--out").check(overwrite=False)
    AuditFolder(tmp_path / "new", RESULTS, "--out").check(overwrite=False)
    (tmp_path / "empty").mkdir()
    AuditFolder(tmp_path / "empty", RESULTS, "--out").check(overwrite=False)
