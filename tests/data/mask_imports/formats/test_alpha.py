"""Cut-outs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dapt.data.mask_imports.base import Asked
from dapt.data.mask_imports.formats.alpha import OPAQUE, AlphaImport
from dapt.data.mask_imports.source import Source
from dapt.errors import DataError
from mask_exports import BOXES, make_photos, png, write_alpha


def test_cut_outs_beside_photos_and_opaque_pictures(tmp_path: Path) -> None:
    make_photos(tmp_path)
    write_alpha(tmp_path, BOXES)
    png(tmp_path / "opaque.png", np.zeros((4, 4, 3), np.uint8))
    assert AlphaImport().evidence(Source(tmp_path), Asked()) == "cat/1.png and others are transparent in parts"
    found = AlphaImport().read(Source(tmp_path), Asked())
    assert [picture.names for picture in found.pictures] == [(f"{name[:-4]}.png",) for name in BOXES]
    assert {picture.rules.kind for picture in found.pictures} == {"alpha"}
    assert found.left_out == {OPAQUE: ["opaque.png"]}


def test_names_that_tools_give_their_cut_outs(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    for name in ("a-removebg-preview", "b_no_bg", "c-Photoroom", "d_cutout", "e.out", "f"):
        png(tmp_path / "cat" / f"{name}.png", pixels)
    found = AlphaImport().read(Source(tmp_path), Asked())
    assert [picture.names[-1] for picture in found.pictures] == [
        "cat/a",
        "cat/b",
        "cat/c",
        "cat/d",
        "cat/e",
        "cat/f.png",
    ]
    assert found.pictures[0].names[0] == "cat/a-removebg-preview.png", "its own name goes first"


def test_no_cut_outs(tmp_path: Path) -> None:
    make_photos(tmp_path)
    png(tmp_path / "a.png", np.full((4, 4, 4), 255, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"none")
    assert AlphaImport().evidence(Source(tmp_path), Asked()) == ""
    make_photos(tmp_path / "photos")
    with pytest.raises(DataError, match="holds no cut-outs"):
        AlphaImport().read(Source(tmp_path / "photos"), Asked())
