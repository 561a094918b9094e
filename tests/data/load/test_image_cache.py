"""What the cache of decoded images keeps: as much as it was given, to the byte."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from PIL import Image

from dapt.data.items import Item
from dapt.data.load import image_cache
from dapt.data.load.image_cache import ImageCache

MEBIBYTE = 2**20
SIDE = 512  # of a picture of 3 * 512 * 512 bytes: three quarters of a mebibyte


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    found = []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        Image.new("RGB", (SIDE, SIDE), (number, 0, 0)).save(path)
        found.append(Item(path, 0, path.name))
    return found


@pytest.mark.parametrize(("megabytes", "kept"), [(0, 0), (1, 1), (2, 2), (3, 4), (100, 5)])
def test_pictures_are_kept_while_they_fit(items: list[Item], megabytes: int, kept: int) -> None:
    cache = ImageCache(megabytes)
    assert cache.full == (megabytes == 0)
    first = [cache(item) for item in items]
    assert all(image.shape == (3, SIDE, SIDE) and image.dtype == torch.uint8 for image in first)
    assert [int(image[0, 0, 0]) for image in first] == [0, 1, 2, 3, 4]
    assert [cache(item) is image for item, image in zip(items, first, strict=True)] == [n < kept for n in range(5)]
    assert cache.full == (kept < 5)
    assert kept * 3 * SIDE**2 <= megabytes * MEBIBYTE


def test_a_smaller_picture_may_still_fit(items: list[Item], tmp_path: Path) -> None:
    cache = ImageCache(1)
    for item in items[:2]:
        cache(item)
    assert cache.full
    Image.new("RGB", (64, 64)).save(tmp_path / "small.png")
    small = Item(tmp_path / "small.png", 0, "small.png")
    assert cache(small) is cache(small)


def test_a_copy_in_another_process_starts_empty(items: list[Item]) -> None:
    cache = ImageCache(1)
    image = cache(items[0])
    copy = pickle.loads(pickle.dumps(cache))
    assert torch.equal(copy(items[0]), image)
    assert copy(items[0]) is not image
    assert copy(items[0]) is copy(items[0])  # and has the same room


def test_two_threads_that_read_one_picture_share_it(items: list[Item], monkeypatch: pytest.MonkeyPatch) -> None:
    """While the first thread reads, a second one reads the same picture and keeps it: it counts once."""
    cache = ImageCache(2)
    read, second = image_cache.image_tensor, []

    def overtaken(path: Path) -> torch.Tensor:
        monkeypatch.setattr(image_cache, "image_tensor", read)
        second.append(cache(items[0]))
        return read(path)

    monkeypatch.setattr(image_cache, "image_tensor", overtaken)
    assert cache(items[0]) is second[0]
    assert cache(items[0]) is second[0]
    assert cache(items[1]) is cache(items[1])  # two pictures fit
    assert not cache.full
