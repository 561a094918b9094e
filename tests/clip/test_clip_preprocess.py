"""What open_clip notes of a model's pixels: its keys, OpenAI's ways where it says nothing, and strange notes."""

from __future__ import annotations

from types import SimpleNamespace

import open_clip
import pytest

from dapt.clip.frozen import Preprocess
from dapt.clip.preprocess import preprocess_of, read_preprocess
from dapt.errors import ModelError

MEAN, STD = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD


def test_what_is_absent_is_openais() -> None:
    assert read_preprocess({}, "x") == Preprocess(MEAN, STD, "bicubic", "shortest")
    given = {"mean": [0.5, 0.5, 0.5], "interpolation": "bilinear", "resize_mode": "longest"}
    assert read_preprocess(given, "x") == Preprocess((0.5, 0.5, 0.5), STD, "bilinear", "longest")


def test_open_clips_other_notes_are_passed_over() -> None:
    own = {"size": (224, 224), "mode": "RGB", "fill_color": 0, "mean": MEAN, "std": STD}
    assert read_preprocess(own, "x") == read_preprocess({}, "x")


def test_a_tower_says_it_in_two_places() -> None:
    cfg = {"mean": (9.0, 9.0, 9.0), "interpolation": "bilinear", "size": 32}
    tower = SimpleNamespace(preprocess_cfg=cfg, image_mean=(0.1, 0.2, 0.3), image_std=(1.0, 1.0, 2.0))
    assert preprocess_of(tower, "x") == Preprocess((0.1, 0.2, 0.3), (1.0, 1.0, 2.0), "bilinear", "shortest")
    assert preprocess_of(SimpleNamespace(), "x") == read_preprocess({}, "x")
    assert preprocess_of(SimpleNamespace(preprocess_cfg=None, image_mean=None), "x") == read_preprocess({}, "x")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"meen": MEAN}, "a model: preprocessing has no 'meen'"),
        ({"interpolation": "cubic"}, "a model: interpolation is 'cubic'"),
        ({"resize_mode": 3}, "a model: resize_mode is 3"),
        ({"mean": [0.5, 0.5]}, "a model: the mean"),
        ({"mean": "grey"}, "a model: the mean"),
        ({"mean": [0.5, float("nan"), 0.5]}, "a model: the mean"),
        ({"std": [0.5, 0.0, 0.5]}, "a model: the standard deviation"),
        ({"std": [0.5, -1.0, 0.5]}, "a model: the standard deviation"),
    ],
)
def test_strange_notes_are_named_with_their_model(given: dict[str, object], message: str) -> None:
    with pytest.raises(ModelError) as caught:
        read_preprocess(given, "a model")
    assert message in caught.value.message
