"""Grounding DINO and SAM 2, with the library's own classes and random weights."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from dapt.cues.grounded_sam import _phrase
from dapt.cues.model_cue import Photo
from segmenters import asked, noise, tiny_grounding_dino, tiny_sam2


def test_words_as_the_detector_was_trained() -> None:
    assert _phrase("St. Bernard dog") == "st bernard dog."


def _boxes(cue, rows: list[list[float]], scores: list[float]):
    photo = Photo("a.png", torch.zeros(3, 40, 60, dtype=torch.uint8))
    return cue._best({"boxes": torch.tensor(rows).reshape(-1, 4), "scores": torch.tensor(scores)}, photo)


def test_boxes_are_cut_to_the_photo_best_first_and_limited(capsys: pytest.CaptureFixture[str]) -> None:
    cue, _ = asked("grounded_sam", noise((40, 60)), boxes=2)
    rows = [[-5.0, 2.0, 30.0, 50.0], [10.0, 10.0, 10.2, 30.0], [1.0, 1.0, 5.0, 5.0], [2.0, 2.0, 70.0, 9.0]]
    boxes, score = _boxes(cue, rows, [0.4, 0.9, 0.5, 0.6])
    assert boxes == [(2.0, 2.0, 60.0, 9.0), (1.0, 1.0, 5.0, 5.0)]
    assert score == pytest.approx(0.6)
    _boxes(cue, rows, [0.4, 0.9, 0.5, 0.6])
    assert capsys.readouterr().err.count("3 boxes were found in a.png") == 1
    assert _boxes(cue, [], []) == ([], 0.0)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        "model": str(tiny_sam2(tmp_path_factory.mktemp("sam2"))),
        "detector": str(tiny_grounding_dino(tmp_path_factory.mktemp("dino"))),
    }


@pytest.mark.long
@pytest.mark.parametrize("precision", ["32", "bf16"])
def test_masks_have_the_size_of_their_photos(models: dict[str, str], precision: str) -> None:
    cue, items = asked(
        "grounded_sam", noise((40, 60), (64, 32), (50, 50)), **models, batch_size=2, boxes=4, precision=precision
    )
    masks = cue.prepare(items, None)
    assert [tuple(mask.shape) for mask in masks if mask is not None] == [(40, 60), (64, 32), (50, 50)]
    assert all(0 < cue.report.scores[item.name] <= 1 for item in items)
    assert set(cue.made_with()) == {"weights", "detector_weights"}


@pytest.mark.long
def test_photos_without_a_box_are_not_given_to_sam(models: dict[str, str]) -> None:
    cue, items = asked("grounded_sam", noise((40, 60), (64, 32)), **models, boxes=4)
    cue.ready(items, None)
    find = cue._boxes
    cue._boxes = lambda photos: [([], 0.0), *find(photos)[1:]]
    given: list[list[str]] = []
    segment = cue._sam.segment
    cue._sam = SimpleNamespace(
        segment=lambda photos, boxes: (given.append([p.name for p in photos]), segment(photos, boxes))[1]
    )
    masks = cue.prepare(items, None)
    assert masks[0] is None
    assert masks[1] is not None
    assert given == [["1.png"]]
    assert cue.report.missing == ["0.png"]


@pytest.mark.long
def test_nothing_found_anywhere(models: dict[str, str]) -> None:
    cue, items = asked("grounded_sam", noise((40, 60), (64, 32)), **models, threshold=1.0)
    assert cue.prepare(items, None) == [None, None]
    assert cue.report.scores == {"0.png": 0.0, "1.png": 0.0}
