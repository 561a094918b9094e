"""Batches read in threads: in order, each image once, damaged ones left out if that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.data.items import Item
from dapt.data.load.loader import EvalImages
from dapt.data.load.read_batches import read_batches
from dapt.data.load.transforms import eval_transform
from dapt.errors import DataError
from helpers import PREPROCESS, make_folder


@pytest.fixture
def images(tmp_path: Path) -> EvalImages:
    root = make_folder(tmp_path / "photos", per_class=4, classes=2)
    items = [Item(path, 0, path.name) for path in sorted(root.rglob("*.png"))]
    return EvalImages(items, eval_transform((32, 32), PREPROCESS))


@pytest.mark.parametrize("threads", [1, 3])
def test_the_pixels_of_the_images_in_order(images: EvalImages, threads: int) -> None:
    found = list(read_batches(images, [[0, 1, 2], [5, 4]], threads=threads, skip_bad=False))
    assert [batch.places for batch in found] == [(0, 1, 2), (5, 4)]
    for batch in found:
        assert batch.bad == {}
        assert batch.pixels is not None
        assert torch.equal(batch.pixels, torch.stack([images[place][0] for place in batch.places]))


def test_damaged_images_stop_it_behind_the_batches_before(images: EvalImages) -> None:
    images.items[3].path.write_bytes(b"no picture")
    reading = read_batches(images, [[0, 1], [2, 3]], threads=2, skip_bad=False)
    assert next(reading).places == (0, 1)
    with pytest.raises(DataError, match="damaged or not an image"):
        next(reading)


def test_damaged_images_are_left_out_and_told(images: EvalImages) -> None:
    for place in (1, 2, 3):
        images.items[place].path.write_bytes(b"no picture")
    first, second = read_batches(images, [[0, 1], [2, 3]], threads=2, skip_bad=True)
    assert (first.places, [*first.bad]) == ((0,), [1])
    assert "damaged" in first.bad[1].what
    assert (second.places, second.pixels, [*second.bad]) == ((), None, [2, 3])
