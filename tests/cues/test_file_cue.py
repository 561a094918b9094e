"""Masks from files: what is counted and compared, and how large masks are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from dapt.cues.base import CueContext
from dapt.cues.file_cue import FileCue
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.masks import photo_mask
from dapt.errors import DataError
from dapt.strict import PartOptions


def save(folder: Path, number: int, mask: np.ndarray | bytes | None, size: tuple[int, int] = (8, 10)) -> Item:
    """A black image of height and width `size`, and its mask: pixels, nonsense, or none at all."""
    image, target = folder / f"{number}.png", folder / f"{number}-mask.png"
    Image.new("L", size[::-1]).save(image)
    if isinstance(mask, bytes):
        target.write_bytes(mask)
    elif mask is not None:
        Image.fromarray(mask).save(target)
    return Item(image, 0, image.name, None if mask is None else target)


def cue(*, skip_bad: bool = False) -> FileCue:
    return FileCue(CueContext(PartOptions(), None, "binary", skip_bad, ImageCache(0), 1))


HALF = np.repeat(np.array([[0, 255]], dtype=np.uint8), 5, axis=1).repeat(8, axis=0)
BLACK = np.zeros((8, 10), dtype=np.uint8)


def test_masks_are_counted_anew_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [save(tmp_path, number, HALF) for number in range(10)] + [save(tmp_path, 10, BLACK)]
    source = cue()
    for _ in range(2):
        masks = source.prepare(items, None)
        assert (source.report.total, source.report.empty) == (11, ["10.png"])
        assert masks[10] is None
        assert all(mask.tolist() == [[False] * 5 + [True] * 5] * 8 for mask in masks[:10])
    # six of eleven seem to be of another format: too few to refuse them, however often they are read
    seem: list[bool] = []
    monkeypatch.setattr(photo_mask, "misread", lambda values, mask, kind: seem.append(True) or len(seem) % 10 < 6)
    for _ in range(3):
        source.prepare(items, None)
        source.check()
    assert len(seem) == 30  # a mask without foreground is not asked


@pytest.mark.parametrize("other", [b"no picture", None])
def test_only_masks_that_were_read_tell_the_format(tmp_path: Path, other: bytes | None) -> None:
    """Two black masks are all that could be read, so the format is refused whatever became of the others."""
    items = [save(tmp_path, number, BLACK if number < 2 else other) for number in range(6)]
    source = cue(skip_bad=True)
    assert source.prepare(items, None) == [None] * 6
    assert source.report.without == 6
    with pytest.raises(DataError, match="2 of 2 masks are of no use when they are read as 'binary': 2 empty"):
        source.check()


def test_the_format_that_would_do_is_looked_for_in_all_masks(tmp_path: Path) -> None:
    """The first image has no mask."""
    items = [save(tmp_path, number, HALF // 85 if number else None) for number in range(6)]
    source = cue()
    source.prepare(items, None)
    with pytest.raises(DataError, match="5 of 5 masks are of no use") as caught:
        source.check()
    assert "--mask-format labels" in caught.value.todo


def test_a_mask_of_another_shape_is_named_with_its_image(tmp_path: Path) -> None:
    item = save(tmp_path, 0, HALF, size=(8, 20))
    with pytest.raises(DataError) as caught:
        cue().prepare([item], None)
    assert f"mask {item.mask} (10 x 8)" in caught.value.what
    assert f"image {item.path} (20 x 8)" in caught.value.what


@pytest.mark.parametrize("size", [(1024, 2048), (2048, 1024)])
def test_large_masks_are_kept_at_1024_pixels_a_side(tmp_path: Path, size: tuple[int, int]) -> None:
    """Of every two pixels the second one is taken, whatever the first one is."""
    mask = np.zeros(size, dtype=np.uint8)
    mask[:, 1::4] = 255
    mask[:, 2::4] = 255
    (found,) = cue().prepare([save(tmp_path, 0, mask, size)], None)
    assert found.dtype == torch.bool
    assert found.shape == (size[0] // 2, size[1] // 2)
    assert found[:, 0::2].all()
    assert not found[:, 1::2].any()


@pytest.mark.parametrize(("size", "kept"), [((1024, 8), (1024, 8)), ((1026, 2), (1024, 2)), ((3, 2048), (2, 1024))])
def test_sizes_of_masks_that_are_kept(tmp_path: Path, size: tuple[int, int], kept: tuple[int, int]) -> None:
    mask = np.zeros(size, dtype=np.uint8)
    mask[: size[0] // 2] = 255
    (found,) = cue().prepare([save(tmp_path, 0, mask, size)], None)
    assert tuple(found.shape) == kept


def test_a_strip_keeps_a_row(tmp_path: Path) -> None:
    mask = np.zeros((1, 4096), dtype=np.uint8)
    mask[:, :2048] = 255
    (found,) = cue().prepare([save(tmp_path, 0, mask, (1, 4096))], None)
    assert found.tolist() == [[True] * 512 + [False] * 512]
