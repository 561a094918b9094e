"""Deep images by the range they use: worked out by hand, and compared with the same picture in 8 bits."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.data.load.depth import eight_bits, scaled
from dapt.data.load.images import RefusedImageError, image_tensor, open_image, picture_tensor
from dapt.data.load.notes import say_notes
from dapt.data.load.reading import Reading, use_bits

RAMP = np.linspace(0, 255, 64).round().astype(np.uint8).reshape(8, 8)


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    yield
    use_bits(None)


def save(path: Path, values: np.ndarray) -> Path:
    Image.fromarray(values).save(path)
    return path


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_bits_are_told_by_the_largest_value(tmp_path: Path, bits: int, suffix: str) -> None:
    deep = (RAMP.astype(np.uint32) * (2**bits - 1) // 255).astype(np.uint16)
    found = image_tensor(save(tmp_path / f"x{suffix}", deep))[0].numpy()
    assert np.array_equal(found, deep.astype(np.uint32) * 255 // (2**bits - 1))
    assert np.abs(found.astype(int) - RAMP).max() <= 1


def test_bits_that_are_stated_hold_for_all(tmp_path: Path) -> None:
    dark = save(tmp_path / "dark.png", np.full((4, 4), 1000, np.uint16))
    assert int(image_tensor(dark).max()) == 249  # as 10-bit
    assert int(image_tensor(dark, Reading(bits=12)).max()) == 1000 * 255 // 4095
    use_bits(12)
    assert int(image_tensor(dark).max()) == 1000 * 255 // 4095
    bright = save(tmp_path / "bright.png", np.full((4, 4), 5000, np.uint16))
    with pytest.raises(RefusedImageError, match="whole numbers up to 5000, more than 12 bits"):
        open_image(bright)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RAMP / 255, RAMP),
        (RAMP.astype(float), RAMP),
        (np.zeros((2, 2)), np.zeros((2, 2))),
        (np.array([[-0.0005, 1.0005]]), np.array([[0, 255]])),
    ],
)
def test_fractions(tmp_path: Path, values: np.ndarray, expected: np.ndarray) -> None:
    path = save(tmp_path / "x.tif", values.astype(np.float32))
    assert np.array_equal(image_tensor(path)[1].numpy(), expected)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([[-1.0, 1.0]], "fractions from -1 to 1"),
        ([[0.0, 3.5]], "fractions from 0 to 3.5"),
        ([[0.0, 900.0]], "fractions from 0 to 900"),
        ([[0.0, float("nan")]], "not finite"),
    ],
)
def test_fractions_without_a_known_range_are_refused(tmp_path: Path, values: list[list[float]], told: str) -> None:
    path = save(tmp_path / "x.tif", np.array(values, np.float32))
    with pytest.raises(RefusedImageError) as caught:
        open_image(path)
    assert told in caught.value.what
    assert "damaged" not in caught.value.message


def colour_png(path: Path, values: np.ndarray) -> Path:
    """A PNG of 16 bits per channel, most significant byte first, which Pillow cannot write."""
    height, width, channels = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)
    return path


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_deep_colours_are_not_cut_to_their_upper_byte(tmp_path: Path, bits: int) -> None:
    eight = np.random.default_rng(0).integers(0, 256, (6, 5, 3))
    eight[0, 0] = 255
    deep = (eight * (2**bits - 1) // 255).astype(np.uint16)
    found = image_tensor(colour_png(tmp_path / "x.png", deep)).permute(1, 2, 0).numpy()
    assert np.abs(found.astype(int) - eight).max() <= 1


def test_an_opened_picture_is_read_as_its_file(tmp_path: Path) -> None:
    path = colour_png(tmp_path / "x.png", np.full((3, 3, 3), 2000, np.uint16) + np.arange(3, dtype=np.uint16))
    with Image.open(path) as opened:
        assert bool((picture_tensor(opened) == image_tensor(path)).all())


def test_deep_colours_with_alpha(tmp_path: Path) -> None:
    deep = np.full((2, 2, 4), 4095, np.uint16)
    deep[..., 0] = 0
    deep[..., 3] = 65535
    deep[0, 0, 3] = 0
    found = image_tensor(colour_png(tmp_path / "x.png", deep)).permute(1, 2, 0)
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[1, 1].tolist() == [0, 255, 255]


def test_the_guess_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    say_notes()
    capsys.readouterr()
    for number, top in enumerate((4095, 4000, 65535)):
        open_image(save(tmp_path / f"{number}.png", np.array([[0, top]], np.uint16)))
    say_notes()
    said = " ".join(capsys.readouterr().err.split())
    assert "3 images hold more than 8 bits per channel" in said
    assert "2 as 12-bit" in said
    assert "1 as 16-bit" in said


def test_sixteen_bits_are_divided_by_257() -> None:
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(scaled(values, 16), values // 257)
    found, told = eight_bits(Image.fromarray(values))
    assert told == "16-bit"
    assert np.array_equal(found, values // 257)
