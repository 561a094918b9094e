"""Formats of masks that annotation tools write, and what `binary` refuses; the same masks in every form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.config import MaskFormat
from dapt.data.items import Item
from dapt.data.masks.mask_collections import formats_that_fit
from dapt.data.masks.mask_files import read_mask
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError

INSIDE = np.zeros((30, 40), bool)
INSIDE[8:22, 10:30] = True
PHOTO = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]


def cut_out(path: Path, number: int) -> None:
    Image.fromarray(np.dstack([PHOTO, np.where(INSIDE, 255, 0).astype(np.uint8)])).save(path)


def grey_cut_out(path: Path, number: int) -> None:
    Image.fromarray(np.dstack([PHOTO[..., 0], np.where(INSIDE, 255, 0).astype(np.uint8)]), "LA").save(path)


def painted(path: Path, number: int) -> None:
    """In the colour of the class."""
    colour = [(128, 0, 0), (0, 0, 64), (48, 112, 32)][number % 3]
    Image.fromarray(np.where(INSIDE[..., None], colour, 0).astype(np.uint8)).save(path)


def palette(path: Path, number: int) -> None:
    image = Image.fromarray(np.where(INSIDE, number % 3 + 1, 0).astype(np.uint8))
    image.putpalette(PALETTE)
    image.save(path)


def black_and_white(path: Path, number: int) -> None:
    image = Image.fromarray(INSIDE.astype(np.uint8))
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(path)


def twelve_bits(path: Path, number: int) -> None:
    Image.fromarray(np.where(INSIDE, 4095, 0).astype(np.uint16)).save(path)


def white_in_colour(path: Path, number: int) -> None:
    Image.fromarray(INSIDE).convert("RGB").save(path.with_suffix(".jpg"), quality=70)


@pytest.mark.parametrize(
    ("write", "kind"),
    [
        (cut_out, "alpha"),
        (grey_cut_out, "alpha"),
        (painted, "colours"),
        (palette, "labels"),
        (palette, "colours"),
        (black_and_white, "binary"),
        (black_and_white, "labels"),
        (twelve_bits, "binary"),
    ],
)
def test_read_as_what_they_are(tmp_path: Path, write, kind: MaskFormat) -> None:
    for number in range(3):
        write(tmp_path / "m.png", number)
        assert np.array_equal(read_mask(tmp_path / "m.png", kind).numpy(), INSIDE)


@pytest.mark.parametrize(
    ("write", "kind", "told"),
    [
        (cut_out, "binary", "--mask-format alpha"),
        (grey_cut_out, "binary", "--mask-format alpha"),
        (painted, "binary", "--mask-format colours"),
        (palette, "binary", "--mask-format labels"),
        (painted, "labels", "--mask-format colours"),
        (cut_out, "labels", "--mask-format alpha"),
        (painted, "alpha", "no alpha channel"),
        (black_and_white, "alpha", "no alpha channel"),
    ],
)
def test_what_a_format_refuses(tmp_path: Path, write, kind: MaskFormat, told: str) -> None:
    write(tmp_path / "m.png", 0)
    with pytest.raises(DataError) as caught:
        read_mask(tmp_path / "m.png", kind)
    assert told in caught.value.message


def test_a_jpeg_in_colour_mode_is_still_black_and_white(tmp_path: Path) -> None:
    white_in_colour(tmp_path / "m.png", 0)
    for kind in ("binary", "colours"):
        assert (read_mask(tmp_path / "m.jpg", kind).numpy() != INSIDE).mean() < 0.05, kind


def test_half_transparent_edges_are_cut_at_half(tmp_path: Path) -> None:
    Image.fromarray(np.array([[[9, 9, 9, 0], [9, 9, 9, 127], [9, 9, 9, 128], [9, 9, 9, 255]]], np.uint8)).save(
        tmp_path / "m.png"
    )
    assert read_mask(tmp_path / "m.png", "alpha").tolist() == [[False, False, True, True]]


def test_a_background_that_is_stated(tmp_path: Path) -> None:
    pixels = np.full((4, 4, 3), (10, 20, 30), np.uint8)
    pixels[1, 2] = (10, 20, 31)
    pixels[3] = 0
    Image.fromarray(pixels).save(tmp_path / "m.png")
    found = read_mask(tmp_path / "m.png", "colours", "#0a141e")
    assert found.nonzero().tolist() == [[1, 2], [3, 0], [3, 1], [3, 2], [3, 3]]
    assert bool(read_mask(tmp_path / "m.png", "colours", "black")[0, 0])


@pytest.mark.parametrize(
    ("write", "wrong", "named"),
    [
        (cut_out, "binary", ["alpha"]),
        (painted, "binary", ["colours"]),
        (palette, "binary", ["labels", "dapt"]),
        (palette, "trimap", ["labels", "dapt"]),  # the first class alone would fit
        (black_and_white, "alpha", ["binary", "labels", "dapt", "foreground"]),
    ],
)
def test_the_hint_is_of_a_format_that_fits_every_class(tmp_path: Path, write, wrong: MaskFormat, named) -> None:
    (tmp_path / "masks").mkdir()
    items = []
    for number in range(12):
        write(tmp_path / "masks" / f"{number}.png", number)
        items.append(Item(tmp_path / f"{number}.jpg", number % 3, f"{number}.jpg"))
    found = formats_that_fit(items, tmp_path / "masks", wrong, MaskRules(wrong))
    assert found == named


@pytest.mark.parametrize("value", [(0, 255), (255, 0)])
def test_formats_that_read_the_same_are_no_hint(tmp_path: Path, value: tuple[int, int]) -> None:
    """Neither for exchanged masks nor for good ones of which one class has none."""
    items = []
    for number in range(4):
        picture = Image.new("L", (40, 40), value[0])
        picture.paste(value[1], (10, 10, 30, 30))
        (tmp_path / "masks").mkdir(exist_ok=True)
        picture.save(tmp_path / "masks" / f"{number}.png")
        items.append(Item(tmp_path / f"{number}.jpg", 0, f"{number}.jpg"))
    items.append(Item(tmp_path / "none.jpg", 1, "none.jpg"))
    assert formats_that_fit(items, tmp_path / "masks", "binary") == []


@pytest.mark.parametrize("top", [3, 255, 300, 4095, 65535])
def test_colours_of_label_maps_with_16_bits_are_their_own_numbers(tmp_path: Path, top: int) -> None:
    labels = np.zeros((4, 6), np.uint16)
    labels[1, :] = 1
    labels[2, :] = (2, 255, 256, 257, top, top) if top > 257 else 2
    labels[3, :] = top
    Image.fromarray(labels).save(tmp_path / "a.png")
    assert (read_mask(tmp_path / "a.png", "colours").numpy() == (labels > 0)).all()
    on_white = np.where(labels == 0, np.uint16(65535), labels - 1)
    Image.fromarray(on_white).save(tmp_path / "b.png")
    assert (read_mask(tmp_path / "b.png", "colours", "white").numpy() == (labels > 0)).all()
