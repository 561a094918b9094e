"""Which pictures of a folder may be masks."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.mask_imports.base import Asked, Found
from dapt.data.mask_imports.pictures import by_pattern, own_pictures, stems_of
from dapt.data.mask_imports.source import Source
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError
from mask_exports import BOXES, make_photos, write_instances


def test_photographs_are_none(tmp_path: Path) -> None:
    make_photos(tmp_path / "photos")
    write_instances(tmp_path / "photos" / "masks", {"cat/1.jpg": BOXES["cat/1.jpg"]})
    asked = Asked(photos=tuple(BOXES), top=tmp_path / "photos")
    masks = ["masks/cat/1_0.png", "masks/cat/1_1.png"]
    assert own_pictures(Source(tmp_path / "photos"), asked) == masks
    assert own_pictures(Source(tmp_path / "photos" / "masks"), asked) == ["cat/1_0.png", "cat/1_1.png"]
    assert own_pictures(Source(tmp_path), asked) == [f"photos/{name}" for name in masks]


def test_stems() -> None:
    assert stems_of(["a/B.c.jpg", "d"]) == {"b.c", "d"}


def test_a_pattern(tmp_path: Path) -> None:
    write_instances(tmp_path, BOXES)
    asked = Asked(rules=MaskRules(name="{stem}_*.png"), photos=tuple(BOXES), top=tmp_path / "photos")
    found = by_pattern(Found("masks"), Source(tmp_path), asked)
    assert [picture.names for picture in found.pictures[:3]] == [("cat/1.jpg",), ("cat/1.jpg",), ("cat/2.jpg",)]
    assert found.files[:2] == ["cat/1_0.png", "cat/1_1.png"]
    shared = Asked(rules=MaskRules(name="cat/{stem}_0.png"), photos=tuple(BOXES), top=tmp_path / "photos")
    with pytest.raises(DataError, match="would share the mask"):
        by_pattern(Found("masks"), Source(tmp_path), shared)
