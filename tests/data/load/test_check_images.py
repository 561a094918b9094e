"""Damaged images are found early, and training images are decoded once."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.config import make_config
from dapt.data.items import Item
from dapt.data.load import check_images as check_module
from dapt.data.load import image_cache as cache_module
from dapt.data.load import images as images_module
from dapt.data.load.check_images import check_images, looks_whole
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages
from dapt.data.load.reading import Reading
from dapt.data.load.transforms import train_transform
from dapt.errors import DataError
from dapt.runs.run_data import load_run_data
from helpers import PREPROCESS, spoil_png


def photo(seed: int = 0, size: tuple[int, int] = (80, 60)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def write(path: Path, **options: object) -> bytes:
    photo().save(path, **options)
    return path.read_bytes()


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("tail", [b"", b"\0" * 600, b"trailing words " * 200])
def test_whole_files_pass_whatever_trails_them(tmp_path: Path, name: str, tail: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(write(path) + tail)
    assert looks_whole(path)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("kept", [0.03, 0.5, 0.9, 0.99])
def test_truncated_files_do_not_pass(tmp_path: Path, name: str, kept: float) -> None:
    path = tmp_path / name
    whole = write(path)
    path.write_bytes(whole[: int(kept * len(whole))])
    assert not looks_whole(path)
    with pytest.raises(DataError, match="is damaged"):
        check_images([Item(path, 0, name)], skip_bad=False, label="")
    assert not check_images([Item(path, 0, name)], skip_bad=True, label="").good


def test_the_end_of_a_preview_is_not_the_end_of_the_file(tmp_path: Path) -> None:
    preview = io.BytesIO()
    photo(1, (24, 18)).save(preview, "JPEG")
    path = tmp_path / "camera.jpg"
    whole = write(path, exif=b"Exif\0\0" + preview.getvalue())
    assert b"\xff\xd9" in whole[:-2]
    assert looks_whole(path)
    path.write_bytes(whole[: len(preview.getvalue()) + 1500])
    assert not looks_whole(path)


@pytest.mark.parametrize("name", ["a.bmp", "a.webp", "a.gif"])
def test_other_formats_are_decoded(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    whole = write(path)
    assert not looks_whole(path)
    assert check_images([Item(path, 0, name)], skip_bad=False, label="").good
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="is damaged"):
        check_images([Item(path, 0, name)], skip_bad=False, label="")


def test_to_be_left_out_a_file_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    write(path)
    spoil_png(path)
    assert looks_whole(path)
    assert check_images([Item(path, 0, "a")], skip_bad=False, label="").good
    assert check_images([Item(path, 0, "a")], skip_bad=True, label="").bad


def test_training_images_are_decoded_once_and_others_not(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    real = images_module.open_image

    def counting(path: Path, reading: Reading | None = None, side: int | None = None) -> Image.Image:
        opened.append(path)
        return real(path, reading, side)

    for module in (images_module, check_module):
        monkeypatch.setattr(module, "open_image", counting)
    config = make_config({"data": str(table), "method": "maple", "shots": 16, "model": "demo"})
    cache = ImageCache(64)
    data = load_run_data(config, cache)
    assert data.test.items
    assert sorted(opened) == sorted(item.path for item in data.train.items)
    transform = train_transform((32, 32), PREPROCESS, crop_scale=(0.1, 1.0), flip=0.5)
    images = TrainImages(data.train.items, data.train.labels, transform, cache, seed=1)
    for position in range(len(images)):
        images[0, position]
    assert len(opened) == len(images)


def test_without_room_images_are_not_decoded(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config({"data": str(table), "method": "maple", "shots": 16, "model": "demo"})
    for module in (images_module, check_module):
        monkeypatch.setattr(module, "open_image", lambda path, *how: pytest.fail(f"{path} was decoded"))
    assert load_run_data(config, ImageCache(0)).train.items


def test_threads_share_a_cache_within_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = []
    for number in range(12):
        path = tmp_path / f"{number}.png"
        photo(number, (400, 300)).save(path)
        items.append(Item(path, 0, path.name))
    cache = ImageCache(1)  # room for two of them
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(cache, items * 4))
    assert cache.full
    for number, image in enumerate(found):
        assert np.array_equal(image.permute(1, 2, 0).numpy(), np.array(photo(number % 12, (400, 300))))
    decoded: list[Path] = []
    real = cache_module.image_tensor
    monkeypatch.setattr(cache_module, "image_tensor", lambda path: decoded.append(path) or real(path))
    for item in items:
        cache(item)
    assert len(decoded) == 10
