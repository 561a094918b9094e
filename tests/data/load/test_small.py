"""Photographs at a small size: as `open_image` gives them, in less time, with damage found all the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.load.images import RefusedImageError, open_image
from dapt.data.load.pixels import use_option
from dapt.data.load.small import small_image
from dapt.errors import DataError

KINDS = ("jpg", "png", "webp", "gif", "tif")


def picture(size: tuple[int, int] = (640, 480), mode: str = "RGB") -> Image.Image:
    cells = np.random.default_rng(1).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC).convert(mode)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_it_looks_like_the_photograph(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    picture().save(tmp_path / f"a.{kind}", **({} if kind == "gif" else {"exif": exif}))
    small, whole = small_image(tmp_path / f"a.{kind}", 64), open_image(tmp_path / f"a.{kind}")
    assert small.size == whole.size
    assert small.turned == (whole.getexif().get(0x112, orientation if kind != "gif" else 1) != 1)
    assert small.picture.mode == "RGB"
    assert min(small.picture.size) >= 64
    cells = [np.asarray(each.resize((16, 16), Image.Resampling.BOX)).astype(float) for each in (small.picture, whole)]
    assert np.abs(cells[0] - cells[1]).mean() < 3


def test_jpegs_are_decoded_reduced(tmp_path: Path) -> None:
    picture((1600, 1200)).save(tmp_path / "a.jpg")
    assert small_image(tmp_path / "a.jpg", 64).picture.size == (200, 150)
    picture((50, 40)).save(tmp_path / "b.jpg")
    assert small_image(tmp_path / "b.jpg", 64).picture.size == (50, 40)


def test_pictures_of_phones_with_several_frames(tmp_path: Path) -> None:
    picture((1600, 1200)).save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[picture((1600, 1200))])
    small = small_image(tmp_path / "a.jpg", 64)
    assert (small.kind, small.picture.size, small.size) == ("MPO", (200, 150), (1600, 1200))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_jpegs_of_other_modes(tmp_path: Path, mode: str) -> None:
    picture(mode=mode).save(tmp_path / "a.jpg")
    assert small_image(tmp_path / "a.jpg", 64).picture.mode == "RGB"


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("part", [0.3, 0.9, 0.98])
def test_what_is_cut_off_is_found(tmp_path: Path, options: dict[str, bool], part: float) -> None:
    picture().save(tmp_path / "a.jpg", **options)
    content = (tmp_path / "a.jpg").read_bytes()
    (tmp_path / "a.jpg").write_bytes(content[: int(part * len(content))])
    with pytest.raises(DataError, match=r"a\.jpg is damaged"):
        open_image(tmp_path / "a.jpg")
    with pytest.raises(DataError, match=r"a\.jpg is damaged"):
        small_image(tmp_path / "a.jpg", 64)


def test_other_files_and_none(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"%PDF-1.4")
    with pytest.raises(RefusedImageError, match="PDF"):
        small_image(tmp_path / "a.jpg", 64)
    with pytest.raises(DataError, match="There is no image"):
        small_image(tmp_path / "gone.jpg", 64)


def test_pictures_too_large_are_refused_as_everywhere(tmp_path: Path) -> None:
    picture((400, 300)).save(tmp_path / "a.jpg")
    use_option(0.05)
    try:
        with pytest.raises(RefusedImageError, match="million pixels"):
            small_image(tmp_path / "a.jpg", 64)
        use_option(0.08)
        small = small_image(tmp_path / "a.jpg", 64)
        assert small.size == (400, 300)
        assert small.picture.size == (200, 150)
    finally:
        use_option(None)
