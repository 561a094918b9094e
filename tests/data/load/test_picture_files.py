"""Pictures of any size, kind or file type are read, or refused for what they are, within bounded memory."""

from __future__ import annotations

import contextlib
import os
import struct
import subprocess
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import EpsImagePlugin, Image

import dapt
from dapt.data.hub.export import as_png
from dapt.data.items import Item
from dapt.data.load import picture_files, pixels
from dapt.data.load.check_images import check_images, looks_whole
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import RefusedImageError, image_size, image_tensor, open_image
from dapt.data.load.loader import EvalImages, eval_loader
from dapt.data.load.picture_files import FORMATS, formats
from dapt.data.load.transforms import eval_transform
from dapt.data.masks.mask_files import read_mask, read_values
from dapt.errors import DataError
from dapt.runs.verify_masks import verify_masks
from helpers import PREPROCESS


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """The limit is a setting of the process."""
    yield
    pixels.use_option(None)


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def flat_png(path: Path, width: int, height: int) -> Path:
    """A valid PNG of one colour, a thousandth of its pixels large, without needing the memory for it."""
    line = bytes(3 * width + 1)
    packed = zlib.compressobj(9, wbits=-15)
    once = packed.compress(line) + packed.flush(zlib.Z_FULL_FLUSH)  # whole by itself, so it can be repeated
    total = 1
    for _ in range(height):
        total = zlib.adler32(line, total)
    data = b"\x78\xda" + once * height + zlib.compressobj(9, wbits=-15).flush() + struct.pack(">I", total)

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return path


# ---- size


def test_too_many_pixels_are_told_as_size(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise(80, 60).save(path)
    before = np.array(Image.open(path))
    assert np.array_equal(np.array(open_image(path)), before)
    pixels.use_option(0.004)
    message = r"a\.png has 0\.0048 million pixels \(80 x 60\), more than the 0\.004 million that are decoded"
    for read in (open_image, image_tensor, lambda path: ImageCache(1)(Item(path, 0, "a"))):
        with pytest.raises(RefusedImageError, match=message) as caught:
            read(path)
        assert "--max-pixels 1 (setting max_pixels)" in caught.value.todo
        assert "damaged" not in caught.value.message
    assert not looks_whole(path)
    for kind in ("binary", "labels", "trimap", "dapt", "foreground"):
        with pytest.raises(RefusedImageError, match=r"The mask .*a\.png has 0\.0048 million pixels"):
            read_mask(path, kind)
    pixels.use_option(0.0048)
    assert np.array_equal(np.array(open_image(path)), before)


def test_the_option_goes_before_the_setting_of_a_run() -> None:
    assert pixels.max_megapixels() == 120
    pixels.use_setting(7)
    assert pixels.max_megapixels() == 7
    pixels.use_option(9)
    assert pixels.max_megapixels() == 9
    pixels.use_setting(7)
    assert pixels.max_megapixels() == 9
    pixels.use_option(None)
    assert pixels.max_megapixels() == 120


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(("millions", "scale"), [(0.0192, 1), (0.0191, 2), (0.0096, 2)])
def test_large_jpegs_are_read_reduced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], millions: float, scale: int, progressive: bool
) -> None:
    path = tmp_path / "a.jpg"
    noise(160, 120).save(path, progressive=progressive)
    pixels.use_option(millions)
    assert open_image(path).size == (160 // scale, 120 // scale)
    assert looks_whole(path)
    if scale == 1:
        assert np.array_equal(np.array(open_image(path)), np.array(Image.open(path)))
    check_images([Item(path, 0, "a")], skip_bad=False, label="")
    check_images([Item(path, 0, "a")], skip_bad=False, label="")
    said = capsys.readouterr().err
    assert said.count("1 JPEG has more than") == (scale > 1)
    if scale > 1:
        assert f"more than {millions:g} million pixels (max_pixels)" in said
        assert f"a.jpg (160 x 120, read at one {'half'})" in said


def test_jpegs_of_more_than_twice_the_limit_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise(160, 120).save(path)
    pixels.use_option(0.0095)
    with pytest.raises(RefusedImageError, match=r"a\.jpg has 0\.0192 million pixels"):
        open_image(path)


def test_every_reduced_jpeg_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = []
    for number in range(5):
        path = tmp_path / f"{number}.jpg"
        noise(160, 120).save(path)
        items.append(Item(path, 0, path.name))
    pixels.use_option(0.01)
    assert len(check_images(items, skip_bad=True, label="").good) == 5
    assert "5 JPEGs have more than 0.01 million pixels" in capsys.readouterr().err


def test_masks_are_not_read_reduced(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    noise(160, 120).save(path)
    pixels.use_option(0.0191)
    with pytest.raises(RefusedImageError, match=r"has 0\.0192 million pixels"):
        read_values(path, "binary")


def test_a_tile_counts_as_its_picture(tmp_path: Path) -> None:
    """A TIFF of a few pixels can have tiles of gigabytes."""
    tags = {256: 16, 257: 16, 258: 8, 259: 8, 262: 1, 277: 1, 322: 30_000, 323: 30_000, 324: 8, 325: 8}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    path = tmp_path / "a.tif"
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + zlib.compress(bytes(99)))
    with pytest.raises(RefusedImageError, match="has 900 million pixels"):
        open_image(path)


def test_damage_and_size_are_counted_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    items = []
    for name, content in (("good.png", None), ("large.png", None), ("broken.png", b"\x89PNG\r\n\x1a\n" + bytes(99))):
        path = tmp_path / name
        if content is None:
            noise(80, 60 if name == "large.png" else 20).save(path)
        else:
            path.write_bytes(content)
        items.append(Item(path, 0, name))
    pixels.use_option(0.004)
    assert [item.name for item in check_images(items, skip_bad=True, label="").good] == ["good.png"]
    said = capsys.readouterr().err
    assert "1 damaged or missing image is left out; the first: " in said
    assert "1 image that is too large or not read is left out; the first: " in said
    with pytest.raises(RefusedImageError, match=r"1 more such files") as caught:
        check_images(items, skip_bad=False, label="")
    assert "--max-pixels" in caught.value.todo


def test_pillows_own_limit_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = noise(80, 60)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("a.png", "a.jpg", "a.webp", "a.gif", "a.tif", "a.bmp"):
            path = tmp_path / name
            picture.save(path)
            assert open_image(path).size == image_size(path)[::-1] == (80, 60)
            assert read_values(path, "colours").shape == (60, 80)
            assert check_images([Item(path, 0, name)], skip_bad=True, label="").good
    assert Image.MAX_IMAGE_PIXELS == 100
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "a.png")


def test_sixteen_bit_values_stay(tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(0, 65536, (30, 40), dtype=np.uint16)
    values[0, :4] = (0, 256, 257, 65535)
    Image.fromarray(values).save(tmp_path / "a.png")
    grey = np.array(open_image(tmp_path / "a.png"))
    assert np.array_equal(grey, np.repeat((values // 257).astype(np.uint8)[..., None], 3, axis=2))
    assert np.array_equal(read_values(tmp_path / "a.png", "binary"), values // 257)
    assert np.array_equal(read_values(tmp_path / "a.png", "labels"), values)
    assert np.allclose(read_values(tmp_path / "a.png", "foreground"), values / 257)


def test_large_pictures_become_the_same_tensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise(83, 61).save(tmp_path / "a.png")
    whole = image_tensor(tmp_path / "a.png")
    monkeypatch.setattr("dapt.data.load.images.LARGE_PIXELS", 500)
    pieces = image_tensor(tmp_path / "a.png")
    assert torch.equal(whole, pieces)
    assert whole.stride() == pieces.stride()


# ---- memory


MEASURE = """
import re, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import dapt.data.load.check_images as checking
import dapt.data.load.pixels as pixels
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache

def memory(kind):
    return int(re.search(kind + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

def look(folder, **how):
    items = [Item(path, 0, path.name) for path in sorted(Path(folder).glob("*.png"))]
    try:
        told = len(checking.check_images(items, label="", **how).good)
    except Exception as error:
        told = f"{type(error).__name__} {error.message}"
    print(memory("VmHWM") - before, str(told).splitlines())

checking.ThreadPoolExecutor = lambda: ThreadPoolExecutor(8)  # as on a machine of eight cores
before = memory("VmRSS")  # PyTorch alone has half a gigabyte
look(sys.argv[1], skip_bad=False)
look(sys.argv[2], skip_bad=True)
pixels.PIXELS_AT_A_TIME = 20_000_000
look(sys.argv[3], skip_bad=False, cache=ImageCache(60))
"""


def eight(folder: Path, side: int) -> Path:
    folder.mkdir()
    flat_png(folder / "0.png", side, side)
    for number in range(1, 8):
        os.link(folder / "0.png", folder / f"{number}.png")
    return folder


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.long
def test_eight_large_pngs(tmp_path: Path) -> None:
    """They take the memory of one; above the limit they take none."""
    bombs, large, middle = (eight(tmp_path / str(side), side) for side in (13_300, 7200, 4200))
    assert sum(path.stat().st_size for path in bombs.iterdir()) < 8 * 10**6
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, bombs, large, middle], capture_output=True, text=True, check=True, timeout=300
    )
    told = [line.partition(" ") for line in done.stdout.splitlines()]
    peaks = [int(peak) for peak, _, _ in told]
    assert "RefusedImageError" in told[0][2]
    assert "has 177 million pixels (13300 x 13300), more than the 120 million that are decoded" in told[0][2]
    assert "--max-pixels 177" in told[0][2]
    assert told[1][2] == told[2][2] == "['8']"
    assert peaks[0] <= 50  # MB
    assert 150 <= peaks[1] <= 420  # one takes 207, and every thread keeps up to 32
    assert peaks[2] <= 450  # of 17 million: one is kept (53), another becomes a tensor (71 and 53)


def test_pixels_are_decoded_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "PIXELS_AT_A_TIME", 100)
    lock = threading.Lock()
    now = most = 0

    def work(size: int) -> None:
        nonlocal now, most
        with pixels.decoding(), pixels.decoding():
            pixels.take_room(size)
            with lock:
                now += size
                most = max(most, now)
            time.sleep(0.005)
            with lock:
                now -= size

    sizes = [30, 60, 10, 40, 250, 20] * 5
    threads = [threading.Thread(target=work, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
    assert 60 < most <= 250
    with pytest.raises(RuntimeError, match="outside of decoding"):
        pixels.take_room(1)


def test_room_is_given_back_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    noise(80, 60).save(path)
    path.write_bytes(path.read_bytes()[:5000])
    monkeypatch.setattr(pixels, "PIXELS_AT_A_TIME", 5000)
    for _ in range(3):
        with pytest.raises(DataError, match="is damaged"):
            image_tensor(path)
    assert pixels._room._used == 0


def test_loader_processes_have_the_limit_of_their_parent(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise(80, 60).save(path)
    pixels.use_setting(0.004)
    images = EvalImages([Item(path, 0, "a")], eval_transform((32, 32), PREPROCESS))
    with pytest.raises(DataError, match=r"more than the 0\.004 million"):
        list(eval_loader(images, batch_size=1, workers=1))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_does_not_wait_for_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise(80, 60).save(path)
    with pixels.decoding():
        pixels.take_room(pixels.PIXELS_AT_A_TIME)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                open_image(path)
                os._exit(0)
            os._exit(1)
        deadline = time.monotonic() + 30
        while True:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                break
            if time.monotonic() > deadline:
                os.kill(child, 9)
            time.sleep(0.01)
    assert os.waitstatus_to_exitcode(status) == 0


# ---- kinds

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
OTHERS = {
    "an EPS picture": EPS,
    "a PDF document": b"%PDF-1.7\n",
    "a web page": b"\n<!DOCTYPE html><html><body>404</body></html>",
    "an SVG drawing": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "an XML file": b"<?xml version='1.0'?><x/>",
    "a zip archive": b"PK\x03\x04" + bytes(40),
    "a gzip file": b"\x1f\x8b\x08" + bytes(40),
    "a FlashPix, MIC or Office file": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    "a Git LFS pointer, in place of the picture": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "a PSD document (Photoshop)": b"8BPS\0\x01" + bytes(60),
    "a WMF picture": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "an ICO picture": b"\0\0\1\0\1\0" + bytes(60),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_other_kinds_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *a, **k: pytest.fail("Ghostscript was called"))
    path = tmp_path / "a.jpg"
    path.write_bytes(OTHERS[kind])
    for read, name in ((open_image, ""), (lambda path: read_mask(path, "binary"), "The mask "), (image_size, "")):
        with pytest.raises(RefusedImageError) as caught:
            read(path)
        assert caught.value.what == f"{name}{path} is {kind}, which is not read."
    assert as_png(OTHERS[kind]) == OTHERS[kind]


def test_what_is_nothing_is_damaged(tmp_path: Path) -> None:
    for content in (b"", b"x", b"hello, I am no picture at all", bytes(1000)):
        (tmp_path / "a.jpg").write_bytes(content)
        with pytest.raises(DataError, match=r"a\.jpg is damaged or not an image"):
            open_image(tmp_path / "a.jpg")


def test_every_kind_that_is_named_is_read(tmp_path: Path) -> None:
    assert set(formats()) <= set(FORMATS)
    assert {"JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM"} <= set(formats())
    for name in formats():
        path = tmp_path / f"a.{name}"
        noise(32, 24).save(path, name)
        assert open_image(path).size == (32, 24)
    noise(32, 24).save(tmp_path / "a.mpo", "MPO", save_all=True, append_images=[noise(32, 24, 1)])
    assert open_image(tmp_path / "a.mpo").size == (32, 24)


def test_pictures_are_opened_in_one_place() -> None:
    source = Path(dapt.__file__).parent
    opening = {
        path.relative_to(source).as_posix() for path in source.rglob("*.py") if "Image.open(" in path.read_text("utf-8")
    }
    assert opening == {"data/load/picture_files.py"}
    assert "formats=formats()" in Path(picture_files.__file__).read_text("utf-8")


# ---- masks verify


def test_masks_verify_says_why(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from dapt.runs.verify_masks import print_table

    noise(64, 64).resize((512, 512)).save(table.parent / "masks" / "red_square_0.png")
    pixels.use_option(0.2)
    result = verify_masks(str(table))
    assert result.total.count("unreadable") == 1
    print_table(result)
    said = " ".join(capsys.readouterr().out.split())
    assert "the first unreadable one: The mask " in said
    assert "has 0.262 million pixels (512 x 512)" in said
