"""The code of docs/export.md that reads pictures without dapt gives the bytes that the run sees."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dapt.data.load.preprocess import bytes_of
from dapt.data.load.reading import Reading
from helpers import REPOSITORY


def reader(reading: Reading) -> Callable[[Path], Image.Image]:
    text = (REPOSITORY / "docs" / "export.md").read_text(encoding="utf-8")
    found = re.search(r"^def read\(path\):\n(?:    .*\n)+", text, re.MULTILINE)
    assert found is not None
    how = {"matte": reading.matte, "bits": reading.bits}
    names: dict[str, Any] = {"numpy": np, "how": how}
    exec("from PIL import Image, ImageOps\n" + found.group(), names)
    read: Callable[[Path], Image.Image] = names["read"]
    return read


def noise(mode: str) -> Image.Image:
    draw = np.random.default_rng(3)
    if mode == "I;16":
        return Image.fromarray(draw.integers(0, 4000, (20, 30)).astype(np.uint16))
    rgba = Image.fromarray(draw.integers(0, 256, (20, 30, 4)).astype(np.uint8), "RGBA")
    return (
        rgba if mode == "RGBA" else rgba.convert("RGB").convert(mode) if mode in ("CMYK", "P") else rgba.convert(mode)
    )


@pytest.mark.parametrize("reading", [Reading(), Reading("black", 12), Reading("#336699", 16)])
@pytest.mark.parametrize(
    ("mode", "suffix"),
    [
        *(("RGB", "jpg"), ("CMYK", "jpg"), ("L", "png"), ("1", "png"), ("P", "png")),
        *(("RGBA", "png"), ("LA", "png"), ("RGBA", "webp"), ("I;16", "png"), ("I;16", "tif")),
    ],
)
def test_pictures_are_read_as_by_the_run(tmp_path: Path, mode: str, suffix: str, reading: Reading) -> None:
    path = tmp_path / f"picture.{suffix}"
    noise(mode).save(path)
    ours = bytes_of(path, reading).permute(1, 2, 0).numpy()
    assert np.array_equal(np.asarray(reader(reading)(path)), ours)


def test_transparent_colours_and_turned_photos(tmp_path: Path) -> None:
    read = reader(Reading())
    noise("P").save(tmp_path / "p.png", transparency=3)
    turned = Image.Exif()
    turned[0x0112] = 6
    noise("RGB").save(tmp_path / "turned.jpg", exif=turned)
    for name in ("p.png", "turned.jpg"):
        ours = bytes_of(tmp_path / name, Reading()).permute(1, 2, 0).numpy()
        assert np.array_equal(np.asarray(read(tmp_path / name)), ours)
