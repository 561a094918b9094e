"""Panoptic segmentation: things, stuff and their places, with the library's own classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from dapt.cues.panoptic import _unfilled
from segmenters import COCO_LIKE, asked, noise, tiny_mask2former, tiny_oneformer


def test_what_was_filled_up_is_cut_off() -> None:
    real = torch.zeros(64, 96, dtype=torch.int64)
    real[:40, :96] = 1
    assert _unfilled(torch.zeros(1, 5, 16, 24), real).shape == (1, 5, 10, 24)


def _answers(sizes: list[tuple[int, int]], grid: tuple[int, int]) -> SimpleNamespace:
    """What a model would say: a dog on the left half of each photo, a person at its lower right, grass, sky above.

    Args:
        sizes: rows and columns of the map `grid` that show the photo; the rest was filled up, and is said to be a dog.
    """
    classes = torch.full((len(sizes), 5, len(COCO_LIKE) + 1), -9.0)
    for query, label in enumerate((1, 0, 2, 3, 1)):
        classes[:, query, label] = 9.0
    maps = torch.full((len(sizes), 5, *grid), -9.0)
    for place, (rows, columns) in enumerate(sizes):
        maps[place, 0, :rows, : columns // 2] = 9.0
        maps[place, 1, rows // 2 : rows, columns // 2 : columns] = 9.0
        maps[place, 2, : rows // 4, columns // 2 : columns] = 9.0
        maps[place, 3, rows // 4 : rows // 2, columns // 2 : columns] = 8.0
        maps[place, 4, rows:] = maps[place, 4, :, columns:] = 9.0
    return SimpleNamespace(class_queries_logits=classes, masks_queries_logits=maps)


@pytest.mark.long
def test_things_are_foreground_and_stuff_has_names(tmp_path: Path) -> None:
    cue, items = asked("panoptic", noise((64, 96), (96, 64)), model=str(tiny_mask2former(tmp_path)))
    cue.ready(items, None)
    real = cue._model

    class Answering:
        device = real.device

        def __call__(self, pixel_values: torch.Tensor, pixel_mask: torch.Tensor):
            assert pixel_values.shape[-2:] == (96, 96)  # both are filled up
            return _answers([(16, 24), (24, 16)], (24, 24))

    cue._model = Answering()
    masks = cue.prepare(items, None)
    for mask, (height, width) in zip(masks, ((64, 96), (96, 64)), strict=True):
        true = torch.zeros(height, width, dtype=torch.bool)
        true[:, : width // 2] = True
        true[height // 2 :] = True
        assert mask.shape == true.shape
        assert (mask != true).float().mean() < 0.03
    assert cue.report.stuff == {"0.png": ["sky", "grass"], "1.png": ["sky", "grass"]} or cue.report.stuff == {
        "0.png": ["grass", "sky"],
        "1.png": ["grass", "sky"],
    }
    assert cue.report.scores["0.png"] > 0.9


@pytest.mark.long
def test_an_image_without_a_thing_is_listed_with_its_stuff(tmp_path: Path) -> None:
    cue, items = asked("panoptic", noise((64, 96)), model=str(tiny_mask2former(tmp_path)), things=["floor-wood"])
    cue.ready(items, None)
    cue._model = SimpleNamespace(device="cpu")
    cue._model = _Fixed()
    assert cue.prepare(items, None) == [None]
    assert cue.report.missing == ["0.png"]
    assert set(cue.report.stuff["0.png"]) == {"dog", "person", "sky", "grass"}


class _Fixed:
    device = torch.device("cpu")

    def __call__(self, pixel_values: torch.Tensor, pixel_mask: torch.Tensor) -> SimpleNamespace:
        return _answers([(16, 24)], (16, 24))


@pytest.mark.long
@pytest.mark.parametrize("build", [tiny_mask2former, tiny_oneformer])
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_the_models_themselves_run(tmp_path: Path, build: Callable[[Path], Path], precision: str) -> None:
    model = str(build(tmp_path))
    cue, items = asked("panoptic", noise((40, 60), (64, 32)), model=model, threshold=0.0, precision=precision)
    cue.prepare(items, None)
    assert cue.report.total == 2
    assert set(cue.report.scores) == {"0.png", "1.png"}
