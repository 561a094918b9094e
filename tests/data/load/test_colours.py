"""Colours as they are meant: nothing under transparency is seen, and what is opaque stays bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.items import Item
from dapt.data.load.check_images import check_images
from dapt.data.load.colours import is_plain, to_rgb
from dapt.data.load.images import image_tensor, open_image, picture_tensor, reading_mark
from dapt.data.load.notes import say_notes
from dapt.data.load.reading import Reading

RGB = np.random.default_rng(0).integers(0, 256, (9, 7, 3), dtype=np.uint8)
SECRET = (200, 10, 30)


def half_hidden(alpha: int = 0) -> Image.Image:
    """Its left half is of the secret colour below an alpha of 0, or another."""
    pixels = np.concatenate([RGB, np.full((9, 7, 1), 255, np.uint8)], axis=2)
    pixels[:, :3] = (*SECRET, alpha)
    return Image.fromarray(pixels)


def ways(folder: Path) -> dict[str, Path]:
    """One picture whose left half is transparent, in every way that files have."""
    found: dict[str, Path] = {}

    def save(name: str, image: Image.Image, **options: object) -> None:
        found[name] = folder / name
        image.save(folder / name, **options)

    picture = half_hidden()
    for name in ("a.png", "a.webp", "a.tif"):
        save(name, picture, **({"lossless": True, "exact": True} if name == "a.webp" else {}))
    save("la.png", picture.convert("LA"))
    save("gif.gif", picture)
    keyed = Image.fromarray(np.where(np.asarray(picture)[..., 3:] == 0, SECRET, RGB).astype(np.uint8))
    save("key.png", keyed, transparency=SECRET)
    indexed = Image.new("P", (7, 9), 1)
    indexed.putpalette([*SECRET, 5, 6, 7])
    indexed.paste(0, (0, 0, 3, 9))
    save("palette.png", indexed, transparency=0)
    save("entries.png", indexed, transparency=bytes([0, 255]))
    grey = Image.fromarray(np.where(np.arange(7) < 3, 77, 200).astype(np.uint8)[None].repeat(9, axis=0))
    save("grey.png", grey, transparency=77)
    deep = Image.fromarray(np.where(np.arange(7) < 3, 777, 30000).astype(np.uint16)[None].repeat(9, axis=0))
    save("deep.png", deep, transparency=777)
    return found


@pytest.mark.parametrize(("matte", "colour"), [("white", 255), ("black", 0), ("#808080", 128)])
def test_hidden_colours_never_appear(tmp_path: Path, matte: str, colour: int) -> None:
    for name, path in ways(tmp_path).items():
        found = image_tensor(path, Reading(matte)).permute(1, 2, 0).numpy()
        assert (found[:, :3] == colour).all(), name
        assert (found[:, 3:] != colour).any(), name
        with Image.open(path) as opened:
            assert np.array_equal(picture_tensor(opened, Reading(matte)).permute(1, 2, 0).numpy(), found), name
            assert not is_plain(opened), name
        assert reading_mark(path) == "-2"


def test_half_transparent_pixels_are_mixed(tmp_path: Path) -> None:
    half_hidden(128).save(tmp_path / "a.png")
    found = image_tensor(tmp_path / "a.png").permute(1, 2, 0).numpy()
    expected = [round((colour * 128 + 255 * 127) / 255) for colour in SECRET]
    assert np.abs(found[0, 0].astype(int) - expected).max() <= 1
    assert np.array_equal(found[:, 3:], RGB[:, 3:])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "CMYK", "YCbCr", "HSV", "PA", "RGBa", "RGBX"])
def test_without_transparent_pixels_nothing_changes(mode: str) -> None:
    picture = Image.fromarray(RGB).convert("RGBA" if mode == "RGBa" else "P" if mode == "PA" else mode)
    picture = picture.convert(mode)
    expected = Image.fromarray(RGB) if mode == "RGBa" else picture.convert("RGB")
    for matte in ("white", "black"):
        assert np.array_equal(np.asarray(to_rgb(picture, Reading(matte))), np.asarray(expected))


def test_plain_files_are_read_as_before(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.webp", "a.bmp", "a.gif", "a.tif", "a.ppm"):
        path = tmp_path / name
        Image.fromarray(RGB).save(path)
        with Image.open(path) as opened:
            assert np.array_equal(np.asarray(open_image(path)), np.asarray(opened.convert("RGB"))), name
        assert reading_mark(path) == ""


def test_lab_pictures(tmp_path: Path) -> None:
    from PIL import ImageCms

    smooth = Image.fromarray(RGB).resize((40, 40))
    turn = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    ImageCms.applyTransform(smooth, turn).save(tmp_path / "a.tif")
    found = np.asarray(open_image(tmp_path / "a.tif")).astype(int)
    assert np.abs(found - np.asarray(smooth)).mean() < 4


def test_what_is_composited_or_animated_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say_notes()  # those of other tests
    capsys.readouterr()
    paths = ways(tmp_path)
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    frames[0].save(tmp_path / "moving.gif", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    items = [Item(path, 0, path.name) for path in (*paths.values(), tmp_path / "moving.gif", tmp_path / "moving.png")]
    check_images(items, skip_bad=False, label="")
    said = " ".join(capsys.readouterr().err.split())
    assert f"{len(paths)} images have transparent parts, shown on white (--matte)" in said
    assert "2 files hold several pictures (an animation, or pages), of which the first is read" in said
    assert np.abs(np.asarray(open_image(tmp_path / "moving.png")).astype(int) - RGB).max() == 0
