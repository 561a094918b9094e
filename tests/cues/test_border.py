"""The border cue: foregrounds from photos alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

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
