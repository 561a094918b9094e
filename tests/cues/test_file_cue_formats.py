"""Mask files as cues: the data set's own format, collections, and masks of another collection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dapt.config import MaskFormat, make_config
from dapt.cues.base import CUES, CueContext
from dapt.cues.build import build_cue
from dapt.cues.file_cue import FileCue
from dapt.data.items import ImageSet, Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.masks.mask_finder import MaskFinder
from dapt.data.resolve import load_data
from dapt.errors import DataError
from dapt.evaluation.evaluate import MaskSource
from dapt.strict import PartOptions
from helpers import make_csv


def as_white(mask: np.ndarray) -> np.ndarray:
    return np.where(mask > 127, 255, 0).astype(np.uint8)


def as_label_map(mask: np.ndarray) -> np.ndarray:
    return np.where(mask > 127, 5, 0).astype(np.uint8)


def as_trimap(mask: np.ndarray) -> np.ndarray:
    return np.where(mask > 127, 1, 2).astype(np.uint8)


WAYS = {
    "binary": (as_white, ".png"),
    "labels": (as_label_map, ".png"),
    "dapt": (as_label_map, ".jpg"),
    "foreground": (as_white, ".jpg"),
}


def rewrite(path: Path, way, target: Path) -> None:
    """Save a mask in another way, three times as large, so that the blurred edge of a JPEG is small."""
    with Image.open(path) as opened:
        grey = opened.convert("L")
        mask = np.array(grey.resize((144, 120), Image.Resampling.NEAREST))
    target.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(way(mask)).save(target)


def make_cue(source: str, data: ImageSet | None, folder: Path | None = None, kind: MaskFormat = "binary") -> FileCue:
    context = CueContext(PartOptions(), folder, kind, False, ImageCache(0), 1, data)
    cue = CUES.get(source)(context)
    assert isinstance(cue, FileCue)
    return cue


def usable(masks: Sequence[object]) -> int:
    return sum(mask is not None for mask in masks)


@pytest.fixture
def data(tmp_path: Path) -> ImageSet:
    return load_data(str(make_csv(tmp_path / "table")))


@pytest.fixture
def trimaps(data: ImageSet) -> ImageSet:
    """A data set that brings trimaps and knows it."""
    for items in data.splits.values():
        for item in items:
            rewrite(item.mask, as_trimap, item.mask)
    return replace(data, mask_format="trimap")


@pytest.mark.parametrize("source", ["masks", "dataset"])
def test_own_masks_are_read_in_the_data_set_s_format(trimaps: ImageSet, source: str) -> None:
    items = trimaps.split("train")
    cue = make_cue(source, trimaps, kind="labels")
    masks = cue.prepare(items, None)
    assert usable(masks) == 16
    assert all(0.05 < float(mask.float().mean()) < 0.5 for mask in masks)
    cue.check()
    unknown = replace(trimaps, mask_format=None)
    cue = make_cue(source, unknown, kind="labels")
    assert usable(cue.prepare(items, None)) == 0
    with pytest.raises(DataError, match="--mask-format trimap"):
        cue.check()


def test_a_folder_is_read_in_the_configured_format(trimaps: ImageSet, tmp_path: Path) -> None:
    items = trimaps.split("train")
    folder = tmp_path / "white"
    for item in items:
        rewrite(item.mask, lambda values: np.where(values == 1, 255, 0).astype(np.uint8), folder / item.name)
    assert usable(make_cue("masks", trimaps, folder).prepare(items, None)) == 16
    assert usable(make_cue("dataset", trimaps, folder).prepare(items, None)) == 16


def test_build_cue_hands_the_data_set_on(trimaps: ImageSet) -> None:
    config = make_config({"data": "-", "method": "maple"})
    cue = build_cue(config, ImageCache(0), trimaps)
    assert cue.name == "masks"
    assert usable(cue.prepare(trimaps.split("train"), None)) == 16
    bare = ImageSet("bare", trimaps.root, trimaps.names, {"train": (Item(Path("x.png"), 0, "x.png"),)})
    assert build_cue(config, ImageCache(0), bare).name == "border"


def test_the_attention_figure_reads_own_masks_in_their_format(trimaps: ImageSet, tmp_path: Path) -> None:
    item = trimaps.split("test")[0]
    own = MaskSource(None, "binary", trimaps.mask_format).read(item, (40, 48))
    assert own is not None
    assert 0.05 < float(own.mean()) < 0.5
    assert float(MaskSource(None, "binary").read(item, (40, 48)).mean()) == 0
    folder = tmp_path / "mask"
    folder.mkdir()
    Image.new("L", (48, 40), 255).save(folder / item.path.name)
    without = replace(item, mask=None)
    assert MaskSource(folder, "dapt", "trimap").path(without) == folder / item.path.name
    assert float(MaskSource(folder, "foreground", "trimap").read(without, (40, 48)).mean()) == 1
    Image.new("L", (48, 40), 255).save((folder / item.path.name).with_suffix(".jpg"))
    Image.new("L", (48, 40), 255).save((folder / item.path.name).with_suffix(".bmp"))
    (folder / item.path.name).unlink()
    assert MaskSource(folder, "foreground").path(without) is None


PAIRS = [
    (stored, read)
    for stored in WAYS
    for read in WAYS
    if WAYS[stored][0] is not WAYS[read][0]  # white masks read as label maps, or the other way round
]


@pytest.mark.parametrize(("stored", "read"), PAIRS)
def test_masks_of_another_collection_are_refused(data: ImageSet, tmp_path: Path, stored: str, read: str) -> None:
    items = data.split("train")
    way, suffix = WAYS[stored]
    folder = tmp_path / "collection"
    for item in items:
        rewrite(item.mask, way, (folder / item.name).with_suffix(suffix))
    right = make_cue("masks", data, folder, stored)
    assert usable(right.prepare(items, None)) == 16
    right.check()
    wrong = make_cue("masks", data, folder, read)
    wrong.prepare(items, None)
    with pytest.raises(DataError) as caught:
        wrong.check()
    assert f"16 of 16 masks are of no use when they are read as '{read}'" in caught.value.what
    named = caught.value.todo.removesuffix(".").split("--mask-format ")[1].split(" or ")
    assert stored in named
    assert read not in named


def test_one_flat_mask_for_two_images_is_found_beyond_the_training_sample(photos: Path, tmp_path: Path) -> None:
    """The two images may be in different splits."""
    data = load_data(str(photos))
    folder = tmp_path / "flat"
    folder.mkdir()
    Image.new("L", (48, 40), 3).save(folder / "03.png")
    with pytest.raises(DataError, match=r"would share the mask .*03\.png"):
        make_cue("masks", data, folder, "dapt")
    one = [item for item in data.split("train") if item.name.endswith("03.png")][:1]
    assert make_cue("masks", None, folder, "dapt").prepare(one, None) == [None]  # full


@pytest.mark.parametrize("source", ["masks", "dataset"])
def test_masks_of_another_collection_beside_catalog_images(data: ImageSet, tmp_path: Path, source: str) -> None:
    """What the catalog finds in a folder mask is read as the masked collection's; the message says how else."""
    items = [replace(item, mask=tmp_path / "mask" / item.name) for item in data.split("train")]
    for item, old in zip(items, data.split("train"), strict=True):
        rewrite(old.mask, as_label_map, item.mask)
    cue = make_cue(source, replace(data, mask_format="binary"))
    cue.prepare(items, None)
    with pytest.raises(DataError, match="16 of 16 masks are of no use when they are read as 'binary'") as caught:
        cue.check()
    assert f"--masks {tmp_path / 'mask'} --mask-format " in caught.value.todo
    assert "dapt" in caught.value.todo


def test_images_are_matched_with_masks_once(data: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[int] = []
    monkeypatch.setattr(MaskFinder, "check", lambda finder, items: checked.append(len(list(items))))
    folder = tmp_path / "table" / "masks"
    cue = make_cue("masks", data, folder, "dapt")
    cue.prepare(data.split("train")[:5], None)
    assert checked == [32]
    make_cue("masks", None, folder, "dapt").prepare(data.split("train")[:5], None)
    assert checked == [32, 5]
