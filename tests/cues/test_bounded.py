"""How large masks are kept."""

from __future__ import annotations

import torch

from dapt.cues.bounded import LONGEST, bounded, bounded_size


def test_small_masks_stay_as_they_are() -> None:
    mask = torch.rand(30, 50) > 0.5
    assert bounded(mask) is mask
    assert bounded_size(30, LONGEST) == (30, LONGEST)


def test_large_masks_keep_their_proportions_and_places() -> None:
    mask = torch.zeros(1000, 4096, dtype=torch.bool)
    mask[:, 2048:] = True
    small = bounded(mask)
    assert small.shape == (250, LONGEST)
    assert small.dtype == torch.bool
    assert small[:, LONGEST // 2 :].all()
    assert not small[:, : LONGEST // 2].any()
    assert bounded_size(1, 10**6) == (1, LONGEST)
