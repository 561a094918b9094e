"""What folders hold, and images that a list names and that are absent."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dapt.data.catalog.base import CATALOG, Request
from dapt.data.catalog.listing import (
    Listing,
    class_folders,
    entries_of,
    image_files,
    image_tree,
    present,
    split_name,
    unreadable,
)
from dapt.errors import DataError
from helpers import fill

DTD = CATALOG.get("dtd")


def test_names_without_their_extensions() -> None:
    assert split_name("a.JPG") == ("a", ".jpg")
    assert split_name("a.b.png") == ("a.b", ".png")
    assert split_name("a") == ("a", "")
    assert split_name(".jpg") == (".jpg", "")
    assert split_name("a.") == ("a", ".")


def test_folders_and_images(tmp_path: Path) -> None:
    fill(
        tmp_path, "b/x.JPG", "b/deep/y.webp", "b/.z.png", "b/notes.txt", "a/1.png", "a/0.jpeg", ".git/x.png", "top.gif"
    )
    assert class_folders(tmp_path) == ["a", "b"]
    assert image_files(tmp_path / "b") == ["x.JPG"]
    assert list(image_tree(tmp_path)) == ["top.gif", "a/0.jpeg", "a/1.png", "b/x.JPG", "b/deep/y.webp"]
    assert entries_of(tmp_path / "nowhere") == entries_of(tmp_path / "top.gif") == []


def test_a_listing_knows_what_was_there_when_it_was_first_asked(tmp_path: Path) -> None:
    fill(tmp_path, "top.png", "a/x.png")
    listing = Listing(tmp_path)
    assert listing.has("top.png")
    assert listing.has("a/x.png")
    assert not listing.has("a/y.png")
    assert not listing.has("b/x.png")
    fill(tmp_path, "a/y.png")
    assert listing.names("a") == {"x.png"}
    assert Listing(tmp_path).has("a/y.png")


def test_the_error_names_the_folder() -> None:
    error = unreadable(Path("/d"), PermissionError(13, "Permission denied"))
    assert error.what == "/d cannot be read: Permission denied."


ROWS = {
    "train": [("a/0.jpg", 0, "ant"), ("a/1.jpg", 0, "ant"), ("b/0.jpg", 1, "bee")],
    "test": [("a/2.jpg", 0, "ant"), ("c/0.jpg", 2, "cow"), ("c/1.jpg", 2, "cow")],
}


def test_everything_present(tmp_path: Path) -> None:
    fill(tmp_path, *(row[0] for part in ROWS.values() for row in part))
    assert present(ROWS, DTD, tmp_path, Request(tmp_path)) == ROWS


def test_absent_images_are_refused_or_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, "a/0.jpg", "a/2.jpg", "b/0.jpg")
    what = (
        f"3 of 6 images of {DTD.title} are missing under {tmp_path}: a/1.jpg, c/0.jpg, c/1.jpg. "
        "Folders missing entirely: 1 (c). Classes missing entirely: 1 (cow)."
    )
    with pytest.raises(DataError) as caught:
        present(ROWS, DTD, tmp_path, Request(tmp_path))
    assert caught.value.what == what
    assert "--skip-bad" in caught.value.todo
    kept = present(ROWS, DTD, tmp_path, Request(tmp_path, skip_bad=True))
    assert kept == {"train": [ROWS["train"][0], ROWS["train"][2]], "test": [ROWS["test"][0]]}
    assert "They are left out" in capsys.readouterr().err
    absent: list[str] = []
    present(ROWS, replace(DTD), tmp_path, Request(tmp_path, skip_bad=True, absent=absent))
    assert absent == ["images/a/1.jpg", "images/c/0.jpg", "images/c/1.jpg"]
    assert capsys.readouterr().err == ""


def test_no_image_left(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="6 of 6 images") as caught:
        present(ROWS, DTD, tmp_path, Request(tmp_path, skip_bad=True))
    assert "--skip-bad" not in caught.value.todo
