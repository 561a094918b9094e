"""The data set's own annotation, whatever folder of masks is given beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from dapt.cues.base import CUES, CueContext
from dapt.cues.dataset import DatasetCue
from dapt.data.items import ImageSet
from dapt.data.load.image_cache import ImageCache
from dapt.data.resolve import load_data
from dapt.strict import PartOptions


def made(data: ImageSet, folder: Path | None = None) -> DatasetCue:
    return DatasetCue(CueContext(PartOptions(), folder, "binary", False, ImageCache(0), 1, data))


def test_the_own_masks_pixel_by_pixel(table: Path) -> None:
    data = load_data(str(table))
    items = data.split("val")
    masks = made(data).prepare(items, None)
    for item, mask in zip(items, masks, strict=True):
        assert np.array_equal(mask.numpy(), np.array(Image.open(item.mask)) >= 128)
    assert CUES.get("dataset") is DatasetCue


def test_a_folder_beside_them_is_not_looked_at(table: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "images"
    other.mkdir(parents=True)
    data = load_data(str(table))
    for item in data.split("val"):
        Image.new("L", (48, 40), 0).save(other / Path(item.name).name)
    with_folder, without = (made(data, folder).prepare(data.split("val"), None) for folder in (other.parent, None))
    assert all(torch.equal(one, two) for one, two in zip(with_folder, without, strict=True))


def test_they_are_read_in_the_format_that_the_data_set_names(table: Path) -> None:
    data = load_data(str(table))
    item = data.split("val")[0]
    trimap = np.full((40, 48), 2, np.uint8)
    trimap[:10], trimap[10:12] = 1, 3
    Image.fromarray(trimap).save(item.mask)
    (mask,) = made(replace(data, mask_format="trimap")).prepare([item], None)
    assert mask.sum(dim=1).tolist() == [48] * 10 + [0] * 30, "what is undecided is background"


def test_images_without_one_are_counted(photos: Path) -> None:
    data = load_data(str(photos))
    cue = made(data)
    assert cue.prepare(data.split("val"), None) == [None] * len(data.split("val"))
    assert cue.report.counts()["cue_missing"] == len(data.split("val"))
