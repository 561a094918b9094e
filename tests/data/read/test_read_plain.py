"""A folder of photographs that is no data set."""

from __future__ import annotations

from pathlib import Path

import pytest

from dapt.data.read.plain import plain_photographs
from dapt.errors import DataError
from mask_exports import BOXES, make_photos, write_suffix

REFUSED = DataError("It is no data.")


def test_photos_without_masks_beside_them(tmp_path: Path, capsys) -> None:
    make_photos(tmp_path / "photos")
    write_suffix(tmp_path / "photos", BOXES)
    found = plain_photographs(tmp_path / "photos", REFUSED)
    assert [item.name for item in found.chosen("all")] == list(BOXES)
    assert found.name == "photos"
    assert "It is no data. Here it is taken as a folder of 4 photos without classes." in capsys.readouterr().err


def test_one_photo_is_one(tmp_path: Path, capsys) -> None:
    make_photos(tmp_path, {"1.jpg": 0})
    plain_photographs(tmp_path, REFUSED)
    assert "taken as a folder of 1 photo without classes" in capsys.readouterr().err


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="It is no data"):
        plain_photographs(tmp_path, REFUSED)
