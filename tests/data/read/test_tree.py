"""Listing a folder: nothing is lost, links and leftovers are told, unreadable folders refused."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from PIL import Image

from dapt.data.read import kinds
from dapt.data.read.folder import read_folder
from dapt.data.read.kinds import LEFTOVER
from dapt.data.read.tree import DEAD, LINKS, MISNAMED, follow_splits_and_classes, look_through
from dapt.data.resolve import load_data
from dapt.errors import DataError
from dapt.runs.predict import find_images
from helpers import fill


def test_every_file_is_in_one_place(tmp_path: Path) -> None:
    names = ["b/c.png", "b-d/e.JPG", "a.txt", ".DS_Store", "__MACOSX/b/._c.png", "b/Thumbs.db", "b/x.part", "b/q.xyz"]
    fill(tmp_path, *names)
    tree = look_through(tmp_path)
    assert tree.pictures == ["b/c.png", "b-d/e.JPG"]  # part by part, as paths are sorted
    assert tree.folders == ["b", "b-d"]
    assert sorted([*tree.pictures, *(name for part in tree.unused.values() for name in part)]) == sorted(names)
    assert tree.unused[LEFTOVER] == [".DS_Store", "__MACOSX/b/._c.png", "b/Thumbs.db", "b/x.part"]


def test_pictures_without_an_ending_are_named(tmp_path: Path) -> None:
    fill(tmp_path, "a/other")
    Image.new("RGB", (2, 2)).save(tmp_path / "a" / "photo.png")
    (tmp_path / "a" / "photo.png").rename(tmp_path / "a" / "photo.jpg_large")
    assert look_through(tmp_path).unused[MISNAMED] == ["a/photo.jpg_large"]


def test_links(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, "there/c.jpg", "here/cat/a.jpg", "here/cat/deep/b.jpg")
    (tmp_path / "here" / "dog").symlink_to(tmp_path / "there")
    (tmp_path / "here" / "cat" / "link").symlink_to(tmp_path / "there")
    (tmp_path / "here" / "cat" / "dead.txt").symlink_to(tmp_path / "nowhere")
    (tmp_path / "here" / "cat" / "loop").symlink_to(tmp_path / "here")
    tree = look_through(tmp_path / "here", follow_splits_and_classes)
    assert tree.pictures == ["cat/a.jpg", "cat/deep/b.jpg", "dog/c.jpg"]
    assert tree.unused == {LINKS: ["cat/link", "cat/loop"], "texts and tables": ["cat/dead.txt"]}
    assert find_images([tmp_path / "here"]) == [tmp_path / "here/cat/a.jpg", tmp_path / "here/cat/deep/b.jpg"]
    assert "3 files, links to folders, which are not looked into" in capsys.readouterr().err
    assert find_images([tmp_path / "here" / "dog"]) == [tmp_path / "here/dog/c.jpg"]


def test_a_link_that_leads_nowhere_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "dead").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert look_through(tmp_path).unused == {DEAD: ["dead", "pipe"]}


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


def test_folders_too_deep_are_refused(tmp_path: Path) -> None:
    fill(tmp_path, "cat/" + "a/" * 60 + "0.jpg")
    look_through(tmp_path)
    fill(tmp_path, "cat/" + "b/" * 70 + "0.jpg")
    for look in (look_through, load_folder):
        with pytest.raises(DataError, match="more than 64 folders deep"):
            look(tmp_path)


def load_folder(folder: Path) -> None:
    load_data(str(folder))


def test_a_jpeg_called_heic_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "reads_heif", lambda: False)
    Image.new("RGB", (2, 2)).save(tmp_path / "photo.jpg")
    (tmp_path / "photo.jpg").rename(tmp_path / "IMG_1.HEIC")
    fill(tmp_path, "IMG_2.HEIC", "IMG_2.aae", "IMG_2.jpg:Zone.Identifier")
    unused = look_through(tmp_path).unused
    assert unused == {
        MISNAMED: ["IMG_1.HEIC"],
        kinds.HEIF_MISSING: ["IMG_2.HEIC"],
        "sidecar files of cameras": ["IMG_2.aae"],
        LEFTOVER: ["IMG_2.jpg:Zone.Identifier"],
    }
