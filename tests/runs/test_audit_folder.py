"""Folders that an audit fills: whole or not at all, and never over what is somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.errors import ConfigError
from dapt.runs.audit_folder import COMPOSITES, RESULTS, AuditFolder


def made(
    path: Path, kind: str = RESULTS, *, overwrite: bool = False, files: tuple[str, ...] = ("audit.json", "b")
) -> None:
    with AuditFolder(path, kind, "--out").open(files, overwrite=overwrite) as root:
        for name in files:
            (root / name).write_text(name)


def test_again_only_with_overwrite(tmp_path: Path) -> None:
    made(tmp_path / "o")
    with pytest.raises(ConfigError, match=r"holds an audit[\s\S]*--overwrite"):
        made(tmp_path / "o")
    made(tmp_path / "o", overwrite=True, files=("audit.json", "c"))
    assert sorted(path.name for path in (tmp_path / "o").iterdir() if path.name[0] != ".") == ["audit.json", "c"]


def test_what_is_not_ours_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match="holds what dapt did not write, so it is left alone"):
        made(tmp_path / "mine", overwrite=True)
    made(tmp_path / "o")
    (tmp_path / "o" / "notes.txt").write_text("x")
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        made(tmp_path / "o", overwrite=True)
    assert (tmp_path / "o" / "audit.json").is_file()
    with pytest.raises(ConfigError, match="holds an audit, so it is left alone"):
        made(tmp_path / "o", COMPOSITES, overwrite=True)


def test_one_that_failed_before_its_first_file_is_no_hindrance(tmp_path: Path) -> None:
    made(tmp_path / "o", files=())
    made(tmp_path / "o")
    assert (tmp_path / "o" / "b").is_file()


def test_an_unfinished_one_is_known(tmp_path: Path) -> None:
    folder = AuditFolder(tmp_path / "o", RESULTS, "--out")
    killed = folder.open(["audit.json", "b", "c"], overwrite=False)
    for name in "bc":
        (killed.__enter__() if name == "b" else tmp_path / "o").joinpath(name).write_text(name)
    killed.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    with pytest.raises(ConfigError, match="an unfinished part of an audit"):
        folder.check(overwrite=False)
    folder.check(overwrite=False, resume=True)
    with folder.open(["audit.json", "b"], overwrite=False, resume=True, keep=["b"]):
        assert (tmp_path / "o" / "b").is_file()
        assert not (tmp_path / "o" / "c").exists()
    made(tmp_path / "o", overwrite=True)
    assert (tmp_path / "o" / "audit.json").read_text() == "audit.json"
    with pytest.raises(ConfigError, match="holds an audit"):
        folder.check(overwrite=False, resume=True)


def test_places_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="is a file"):
        AuditFolder(tmp_path / "file" / "o", RESULTS, "--out").check(overwrite=False)
    AuditFolder(tmp_path / "new", RESULTS, "--out").check(overwrite=False)
    (tmp_path / "empty").mkdir()
    AuditFolder(tmp_path / "empty", RESULTS, "--out").check(overwrite=False)
