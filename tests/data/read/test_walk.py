"""Folders of photos: unreadable ones and links are told, never passed over in silence."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dapt.data.read.folder import read_folder
from dapt.data.read.walk import files_below
from dapt.errors import DataError
from dapt.runs.predict import find_images


def test_a_folder_that_cannot_be_read_is_refused(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sorted(path for path in photos.iterdir() if path.is_dir())[0]
    closed = first / "closed"
    closed.mkdir()
    real = os.scandir

    def scandir(path="."):
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    for look in (lambda: read_folder(photos), lambda: find_images([photos])):
        with pytest.raises(DataError, match=f"The folder {closed} cannot be read: Permission denied"):
            look()


def test_a_link_to_a_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("here/a.jpg", "here/deep/b.jpg", "there/c.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "there")
    found = files_below(tmp_path / "here", lambda path: path.suffix == ".jpg")
    assert [path.name for path in found] == ["a.jpg", "b.jpg"]
    assert f"not looked into: {tmp_path / 'here' / 'link'}." in capsys.readouterr().err
    assert [path.name for path in files_below(tmp_path / "here" / "link", lambda path: True)] == ["c.jpg"]
