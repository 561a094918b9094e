"""What is not read is named, whatever its name ends with, and never called damaged."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from dapt.data.load import picture_files
from dapt.data.load.images import RefusedImageError, open_image

KINDS = {
    "a HEIF picture (HEIC), which needs pillow-heif": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
    "a raw file of a camera (CR3)": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(40),
    "a raw file of a camera (CR2)": b"II*\0\x10\0\0\0CR\2\0" + bytes(40),
    "a raw file of a camera,": b"FUJIFILMCCD-RAW 0201FF" + bytes(40),
    "a video,": b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(40),
    "a video (Matroska or WebM)": b"\x1aE\xdf\xa3" + bytes(40),
    "a video (AVI)": b"RIFF\0\0\0\0AVI LIST" + bytes(40),
    "a PSD document": b"8BPS\0\1" + bytes(40),
    "an SVG drawing": b"<?xml version='1.0'?>\n<!-- x -->\n<svg xmlns='http://www.w3.org/2000/svg'/>",
    "an OpenEXR picture": b"v/1\x01\2\0\0\0" + bytes(40),
    "a DICOM picture": bytes(128) + b"DICM" + bytes(40),
    "a JPEG XL picture": b"\xff\x0a" + bytes(40),
    "a NumPy array": b"\x93NUMPY\1\0" + bytes(40),
    "a Radiance HDR picture": b"#?RADIANCE\n" + bytes(40),
    "what macOS keeps beside a file": b"\0\5\x16\7" + bytes(40),
}


@pytest.fixture
def no_heif(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_files, "FORMATS", tuple(name for name in picture_files.FORMATS if name != "HEIF"))


@pytest.mark.usefixtures("no_heif")
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_are_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(KINDS[kind])
    with pytest.raises(RefusedImageError) as caught:
        open_image(path)
    assert f"a.jpg is {kind}" in caught.value.what
    assert "damaged" not in caught.value.message
    if "HEIF" in kind:
        assert "pip install 'dapt[heic]'" in caught.value.todo


def tiff(path: Path, tags: dict[int, object]) -> Path:
    info = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in tags.items():
        info[tag] = value
    Image.new("RGB", (16, 12)).save(path, format="TIFF", tiffinfo=info)
    return path


def test_thumbnails_in_raw_files_are_no_photographs(tmp_path: Path) -> None:
    """DNG, NEF and ARW are TIFFs whose first picture is a thumbnail."""
    for name, tags in (("a.dng", {50706: b"\1\4\0\0"}), ("a.nef", {254: 1, 330: 8})):
        with pytest.raises(RefusedImageError, match="raw file of a camera, of which only a thumbnail"):
            open_image(tiff(tmp_path / name, tags))
    assert open_image(tiff(tmp_path / "plain.tif", {270: "words"})).size == (16, 12)


def test_channels_that_pillow_does_not_read(tmp_path: Path) -> None:
    path = tmp_path / "five.tif"
    Image.new("L", (4, 4)).save(path)
    content = bytearray(path.read_bytes())
    place = content.find((258).to_bytes(2, "little") + (3).to_bytes(2, "little"))  # bits per sample
    content[place + 8 : place + 10] = (11).to_bytes(2, "little")
    path.write_bytes(content)
    with pytest.raises(RefusedImageError, match="a TIFF whose channels Pillow does not read"):
        open_image(path)


def test_empty_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(Exception, match="it is empty"):
        open_image(tmp_path / "a.jpg")


def test_heif_is_registered_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[bool] = []
    fake = types.SimpleNamespace(register_heif_opener=lambda: called.append(True))
    monkeypatch.setitem(sys.modules, "pillow_heif", fake)
    picture_files._with_heif.cache_clear()
    try:
        picture_files.formats()
        picture_files.formats()
        assert called == [True]
    finally:
        picture_files._with_heif.cache_clear()


@pytest.mark.parametrize("suffix", [".avif", ".jp2", ".webp", ".jfif"])
def test_kinds_that_pillow_has_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    picture = Image.fromarray(np.full((16, 16, 3), 90, np.uint8))
    try:
        picture.save(path, format="JPEG" if suffix == ".jfif" else None)
    except (KeyError, OSError, ValueError):
        pytest.skip("this Pillow does not write it")
    assert abs(np.asarray(open_image(path)).astype(int) - 90).max() < 4
