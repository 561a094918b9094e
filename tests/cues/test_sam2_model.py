"""SAM 2 with several boxes per photo, with the library's own classes and random weights."""

from __future__ import annotations

import pytest
import torch

from dapt.cues.model_cue import Photo
from dapt.cues.sam2_model import Sam2, _filled, _points
from segmenters import noise, tiny_sam2


def test_boxes_and_points_are_filled_up_to_the_same_number() -> None:
    first, second = (0.0, 0.0, 4.0, 4.0), (1.0, 1.0, 2.0, 2.0)
    assert _filled([[first], [first, second]]) == [[list(first)] * 2, [list(first), list(second)]]
    asked = _points([[(1.0, 2.0)], [(3.0, 4.0), (5.0, 6.0)]])
    assert asked["input_points"] == [[[[1.0, 2.0], [1.0, 2.0]]], [[[3.0, 4.0], [5.0, 6.0]]]]
    assert asked["input_labels"].shape == (2, 1, 2)


@pytest.mark.long
def test_the_union_of_all_boxes_at_the_photos_size(tmp_path_factory: pytest.TempPathFactory) -> None:
    sam = Sam2("sam2", str(tiny_sam2(tmp_path_factory.mktemp("sam2"))), "cpu")
    photos = [Photo(name, pixels) for name, pixels in noise((40, 60), (64, 32)).items()]
    boxes = [(5.0, 5.0, 30.0, 30.0), (30.0, 10.0, 60.0, 40.0), (0.0, 0.0, 10.0, 40.0)]
    with torch.no_grad():
        several = sam.segment(photos, [boxes, [(2.0, 2.0, 20.0, 50.0)]])
        alone = [sam.segment([photos[0]], [[box]])[0] for box in boxes]
        other = sam.segment([photos[1]], [[(2.0, 2.0, 20.0, 50.0)]])[0]
    assert [tuple(found.mask.shape) for found in several] == [(40, 60), (64, 32)]
    union = torch.stack([found.mask for found in alone if found.mask is not None]).any(dim=0)
    assert (several[0].mask != union).float().mean() < 0.01
    assert (several[1].mask != other.mask).float().mean() < 0.01
    assert several[0].score == pytest.approx(sum(found.score for found in alone) / 3, abs=1e-3)
