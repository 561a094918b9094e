"""The border cue: foregrounds from photos alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from dapt.cues.base import CUES, CueContext
from dapt.cues.quality import MaskQuality, compare_masks
from dapt.data.load.image_cache import ImageCache
from dapt.data.masks.mask_files import read_mask
from dapt.data.resolve import load_data
from dapt.errors import ConfigError
from dapt.validation import validated
from helpers import SHARED, needs_shared


def measured(
    data: str, split: str, count: int | None = None, **options: object
) -> tuple[MaskQuality, dict[str, float]]:
    kind = CUES.get("border")
    cue = kind(CueContext(kind.options_type(**options), None, "binary", False, ImageCache(0), 1))
    items = load_data(data).split(split)[:count]
    quality = MaskQuality()
    for item, mask in zip(items, cue.prepare(items, None), strict=True):
        true = read_mask(item.mask, "binary")
        compare_masks(torch.zeros_like(true) if mask is None else mask, true, quality)
    return quality, cue.report.scores


def test_drawn_objects_are_found_without_a_model(table: Path) -> None:
    quality, scores = measured(str(table), "train")
    assert quality.figures()["iou"] > 75
    assert quality.figures()["background_kept"] < 5
    assert all(0 < score <= 1 for score in scores.values())
    assert len(scores) == len(quality.iou)


def test_photos_of_one_colour_have_no_cue(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        Image.new("RGB", (40, 30), (90 * number, 120, 200)).save(tmp_path / "photos" / name / "flat.png")
    kind = CUES.get("border")
    cue = kind(CueContext(kind.options_type(), None, "binary", False, ImageCache(0), 1))
    items = load_data(str(tmp_path / "photos")).split("train")
    assert cue.prepare(items, None) == [None, None]
    assert cue.report.counts()["cue_empty"] == 2
    assert set(cue.report.scores.values()) == {0.0}


@pytest.mark.long
@needs_shared
@pytest.mark.parametrize(("data", "iou"), [("leeds_butterfly", 45), ("ecssd", 50)])
def test_photographs(data: str, iou: float) -> None:
    """Far more than twice the IoU of published Grad-CAM (at most 15 and 11 with the models at hand)."""
    assert measured(str(SHARED / "data" / data), "train", 40)[0].figures()["iou"] > iou


@pytest.mark.parametrize("options", [{"cells": 3}, {"colour_spread": 0}, {"cut": "otsus"}, {"share": 1.0}])
def test_options_that_cannot_be(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        validated(CUES.get("border").options_type, options, "cue.")
