"""Masks are held as their photographs are: those of the stored pixels are turned with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.data.load.images import ORIENTATION, image_tensor
from dapt.data.load.notes import say_notes
from dapt.data.masks.photo_mask import is_of_stored, mask_of_photo, turn
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError

RULES = MaskRules()


def photo(path: Path, orientation: int, size: tuple[int, int] = (12, 8)) -> Path:
    """A black photograph with a white corner, top left as it is stored."""
    picture = Image.new("RGB", size)
    picture.paste((255, 255, 255), (0, 0, 3, 2))
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    picture.save(path, exif=exif)
    return path


def corner(path: Path, size: tuple[int, int] = (12, 8), orientation: int | None = None) -> Path:
    """The mask of that corner."""
    mask = Image.new("L", size)
    mask.paste(255, (0, 0, 3, 2))
    exif = Image.Exif()
    if orientation:
        exif[ORIENTATION] = orientation
    mask.save(path, exif=exif)
    return path


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]):
    say_notes()
    capsys.readouterr()

    def read() -> str:
        say_notes()
        return " ".join(capsys.readouterr().err.split())

    return read


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_masks_of_the_stored_pixels_are_turned(tmp_path: Path, said, orientation: int) -> None:
    picture = photo(tmp_path / "a.png", orientation)
    found = mask_of_photo([corner(tmp_path / "m.png")], picture, RULES)
    assert torch.equal(found.mask, image_tensor(picture)[0] > 0)
    assert found.fits
    assert found.size == found.upright == (12, 8)
    assert "1 mask was drawn on photos as they are stored" in said()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_what_happens_to_the_photograph(tmp_path: Path, orientation: int) -> None:
    stored = torch.from_numpy(np.asarray(Image.open(photo(tmp_path / "a.png", 1)).convert("L")) > 0)
    assert torch.equal(turn(stored, orientation), image_tensor(photo(tmp_path / "b.png", orientation))[0] > 0)


def test_upright_masks_stay(tmp_path: Path, said) -> None:
    picture = photo(tmp_path / "a.png", 6)
    found = mask_of_photo([corner(tmp_path / "m.png", (8, 12))], picture, RULES)
    assert found.mask[:2, :3].all()
    assert said() == ""
    assert mask_of_photo([corner(tmp_path / "n.png")], photo(tmp_path / "b.png", 1), RULES).mask[:2, :3].all()
    assert said() == ""


def test_a_mask_with_an_orientation_of_its_own_is_turned_by_it(tmp_path: Path, said) -> None:
    picture = photo(tmp_path / "a.png", 6)
    found = mask_of_photo([corner(tmp_path / "m.png", orientation=6)], picture, RULES)
    assert torch.equal(found.mask, image_tensor(picture)[0] > 0)
    assert said() == ""


@pytest.mark.parametrize(("orientation", "size"), [(6, (8, 8)), (3, (12, 8)), (2, (12, 8))])
def test_what_the_size_does_not_tell_is_counted(tmp_path: Path, said, orientation: int, size: tuple[int, int]) -> None:
    picture = photo(tmp_path / "a.png", orientation, size)
    found = mask_of_photo([corner(tmp_path / "m.png", size)], picture, RULES)
    assert found.mask[:2, :3].all()
    assert "1 photo is turned by EXIF orientation and the size of the mask does not tell" in said()
    (tmp_path / "masks.json").touch()  # `dapt masks` writes upright masks
    mask_of_photo([tmp_path / "m.png"], photo(tmp_path / "b.png", orientation, size), RULES)
    assert said() == ""


@pytest.mark.parametrize(
    ("mask", "stored", "orientation", "expected"),
    [
        ((8, 12), (8, 12), 6, True),
        ((12, 8), (8, 12), 6, False),
        ((16, 24), (8, 12), 6, True),
        ((100, 101), (100, 101), 6, True),  # exactly
        ((200, 201), (100, 101), 6, None),  # within two percent of both
        ((50, 50), (100, 101), 8, None),
        ((8, 12), (8, 12), 3, None),
        ((5, 50), (8, 12), 6, False),
    ],
)
def test_sizes(mask, stored, orientation: int, expected: bool | None) -> None:
    assert is_of_stored(mask, stored, orientation) is expected


def test_the_union_of_several(tmp_path: Path) -> None:
    picture = photo(tmp_path / "a.png", 1)
    files = []
    for number, box in enumerate([(0, 0, 3, 2), (9, 6, 12, 8)]):
        mask = Image.new("L", (12, 8) if number else (24, 16))
        mask.paste(255, box if number else tuple(2 * side for side in box))
        mask.save(tmp_path / f"{number}.png")
        files.append(tmp_path / f"{number}.png")
    found = mask_of_photo(files, picture, RULES).mask
    assert found.shape == (16, 24)
    assert int(found.sum()) == 2 * 6 * 4
    Image.new("L", (5, 50)).save(files[1])
    with pytest.raises(DataError, match="does not have the shape"):
        mask_of_photo(files, picture, RULES)
