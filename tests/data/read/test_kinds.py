"""What files are, by their names."""

from __future__ import annotations

import pytest
from PIL import Image

from dapt.data.load.picture_files import FORMATS, formats
from dapt.data.read import kinds
from dapt.data.read.kinds import HEIF_MISSING, IMAGE_TYPES, UNKNOWN, ending, is_leftover, is_picture, why_unused


@pytest.mark.parametrize(
    "name",
    [
        *("__MACOSX", "._a.jpg", ".ipynb_checkpoints", "Thumbs.db", "desktop.ini", ".DS_Store", "@eaDir", "a.jpg.part"),
        *("THUMBS.DB", "~$list.xlsx", "a.png~", "$RECYCLE.BIN", ".git", "photo.jpg.crdownload"),
    ],
)
def test_leftovers(name: str) -> None:
    assert is_leftover(name)


@pytest.mark.parametrize("name", ["thumbs", "macosx.jpg", "a.b.jpg", "cat~1.jpg", "temp", "part.png", "tmp"])
def test_no_leftovers(name: str) -> None:
    assert not is_leftover(name)


def test_endings() -> None:
    assert [ending(name) for name in ("a.JPG", "a", ".png", "a.b.TIFF", "a.")] == [".jpg", "", "", ".tiff", "."]


def test_every_kind_that_is_decoded_has_an_ending() -> None:
    """What Pillow knows of these formats by their endings is read from folders."""
    Image.init()
    known = {end for end, kind in Image.registered_extensions().items() if kind in formats()}
    assert known - IMAGE_TYPES <= {".avifs", ".pfm", ".mpo", ".icb", ".j2c"}
    assert {"AVIF", "JPEG2000", "WEBP"} <= set(FORMATS)
    assert all(is_picture(f"photo{end.upper()}") for end in (".avif", ".jfif", ".jp2", ".webp"))


def test_heic_needs_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "reads_heif", lambda: False)
    assert not is_picture("IMG_1.HEIC")
    assert why_unused("IMG_1.HEIC") == HEIF_MISSING
    monkeypatch.setattr(kinds, "reads_heif", lambda: True)
    assert is_picture("IMG_1.HEIC")


def test_reasons() -> None:
    assert [why_unused(name).split()[0] for name in ("a.mp4", "a.NEF", "a.csv", "a.zip", "a.pdf")] == [
        *("videos", "raw", "texts", "archives,", "drawings,")
    ]
    assert why_unused("a.xyz") == why_unused("noending") == UNKNOWN
