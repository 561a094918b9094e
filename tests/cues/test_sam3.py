"""SAM 3, with the library's own classes and random weights."""

from __future__ import annotations

import pytest
import torch

from dapt.cues.sam3 import _union
from segmenters import asked, noise, tiny_sam3


def test_all_instances_count() -> None:
    masks = torch.zeros(2, 6, 8)
    masks[0, :2] = masks[1, :, :3] = 1
    found = _union({"scores": torch.tensor([0.6, 0.9]), "masks": masks})
    assert found.mask.sum() == 2 * 8 + 4 * 3
    assert found.score == pytest.approx(0.9)
    assert _union({"scores": torch.zeros(0), "masks": torch.zeros(0, 6, 8)}).mask is None


@pytest.mark.long
def test_masks_have_the_size_of_their_photos(tmp_path_factory: pytest.TempPathFactory) -> None:
    model = str(tiny_sam3(tmp_path_factory.mktemp("sam3")))
    photos = noise((40, 60), (64, 32), (50, 50))
    cue, items = asked(
        "sam3", photos, model=model, batch_size=2, threshold=0.0, template="a word of very many letters {}"
    )
    masks = cue.prepare(items, None)
    assert [tuple(mask.shape) for mask in masks if mask is not None] == [(40, 60), (64, 32), (50, 50)]
    cue, items = asked("sam3", photos, model=model, threshold=1.0)
    assert cue.prepare(items, None) == [None] * 3
    assert cue.report.missing == list(photos)
