"""How well cues agree with true masks."""

from __future__ import annotations

import pytest
import torch

from dapt.cues.quality import MaskQuality, compare_masks


def test_figures_worked_out_by_hand() -> None:
    quality = MaskQuality()
    true = torch.tensor([[True, True, False, False]])
    compare_masks(torch.tensor([[True, False, True, False]]), true, quality)
    compare_masks(true, true, quality)
    figures = quality.figures()
    assert figures["images"] == 2
    assert figures["iou"] == pytest.approx(100 * (1 / 3 + 1) / 2, abs=1e-3)
    assert figures["foreground_kept"] == 75
    assert figures["background_kept"] == 25
    assert "2 true masks: IoU 66.667%" in quality.summary()


def test_no_figures_without_masks_that_tell_something() -> None:
    quality = MaskQuality()
    for true in (torch.zeros(1, 4, dtype=torch.bool), torch.ones(1, 4, dtype=torch.bool)):
        compare_masks(torch.ones(1, 4, dtype=torch.bool), true, quality)
    assert quality.figures() == {"images": 0, "iou": None, "foreground_kept": None, "background_kept": None}
    assert "None" not in quality.summary()
    assert "there are no figures" in quality.summary()
