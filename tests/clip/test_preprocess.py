"""How a model wants its pixels: as it says, OpenAI's ways where it says nothing, and nothing that there is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import open_clip
import pytest

from dapt.clip.frozen import Preprocess
from dapt.clip.preprocess import preprocess_of, read_preprocess
from dapt.errors import ModelError

USUAL = Preprocess(open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD, "bicubic", "shortest")


def test_openais_ways_where_nothing_is_said() -> None:
    assert read_preprocess({}, "x") == USUAL
    assert preprocess_of(SimpleNamespace(), "x") == USUAL
    assert preprocess_of(SimpleNamespace(preprocess_cfg=None, image_mean=None), "x") == USUAL


def test_as_it_says() -> None:
    notes = {"mean": [0, 0.5, 1], "std": [1, 2, 3], "interpolation": "bilinear", "resize_mode": "squash"}
    expected = Preprocess((0, 0.5, 1), (1, 2, 3), "bilinear", "squash")
    assert read_preprocess({**notes, "size": 224, "mode": "RGB", "fill_color": 0}, "x") == expected
    tower = SimpleNamespace(preprocess_cfg={**notes, "mean": [9, 9, 9]}, image_mean=(0, 0.5, 1), image_std=(1, 2, 3))
    assert preprocess_of(tower, "x") == expected  # the tower's own numbers come first


@pytest.mark.parametrize(
    ("notes", "message"),
    [
        ({"means": [0, 0, 0]}, r"x: preprocessing has no 'means'\.\nDid you mean 'mean'"),
        ({"interpolation": "lanczos"}, r"x: interpolation is 'lanczos'\.\nKnown: bicubic"),
        ({"resize_mode": None}, r"x: resize_mode is [\s\S]*Known: shortest"),
        ({"std": [1, 1, 0]}, "x: the standard deviation is .*, not three positive numbers"),
        ({"mean": 0.5}, "x: the mean is 0.5, not three numbers"),
    ],
)
def test_what_there_is_not(notes: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read_preprocess(notes, "x")
