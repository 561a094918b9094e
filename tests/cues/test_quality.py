"""How well cues agree with true masks."""

from __future__ import annotations

import pytest
import torch

from dapt.cues.quality import FIGURES, MaskQuality, _outline, bootstrap_interval, boundary_f, compare_masks


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


def squares(*corners: int, size: int = 200) -> torch.Tensor:
    top, left, bottom, right = corners
    mask = torch.zeros(size, size, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def test_outlines_agree_within_the_tolerance_and_not_beyond() -> None:
    true = squares(50, 50, 150, 150)
    radius = 3  # 0.75% of a diagonal of 282.8 pixels, rounded up
    assert boundary_f(true, true) == 1
    assert boundary_f(squares(50 + radius, 50 + radius, 150 + radius, 150 + radius), true) > 0.97
    assert boundary_f(squares(60, 60, 140, 140), true) == 0, "everywhere ten pixels apart"
    assert 0.4 < boundary_f(squares(50, 50, 150, 100), true) < 0.8, "three sides of each are the other's"
    assert boundary_f(squares(50, 50, 150, 146), true) < boundary_f(squares(50, 50, 150, 147), true) == 1


def test_a_disk_of_every_distance_against_plain_distances() -> None:
    generator = torch.Generator().manual_seed(1)
    for _ in range(5):
        cue, true = (torch.rand(60, 90, generator=generator) > 0.985 for _ in range(2))
        found = boundary_f(cue, true)
        points = [torch.from_numpy(_outline(mask)).nonzero().double() for mask in (cue, true)]
        radius = 1  # 0.0075 * 108.2, rounded up
        far = torch.cdist(points[0], points[1])
        precision = (far.min(dim=1).values <= radius).double().mean()
        recall = (far.min(dim=0).values <= radius).double().mean()
        assert found == pytest.approx(float(2 * precision * recall / (precision + recall)))
        assert 0 < found < 1


def test_masks_without_an_outline() -> None:
    nothing, everything = torch.zeros(9, 9, dtype=torch.bool), torch.ones(9, 9, dtype=torch.bool)
    assert boundary_f(nothing, nothing) == boundary_f(everything, nothing) == 1, "the picture's edge is no outline"
    assert boundary_f(nothing, squares(2, 2, 5, 5, size=9)) == boundary_f(squares(2, 2, 5, 5, size=9), nothing) == 0


def test_intervals_hold_the_mean_and_narrow_with_more_images() -> None:
    few, many = bootstrap_interval([0.0, 1.0] * 10), bootstrap_interval([0.0, 1.0] * 1000)
    for low, high in (few, many):
        assert low < 0.5 < high
    assert many[1] - many[0] == pytest.approx(2 * 1.96 * 0.5 / 2000**0.5, rel=0.1), "as the normal approximation"
    assert few[1] - few[0] == pytest.approx(2 * 1.96 * 0.5 / 20**0.5, rel=0.1)
    assert bootstrap_interval([0.25]) == (0.25, 0.25)
    with pytest.raises(ValueError, match="no values"):
        bootstrap_interval([])


def test_intervals_of_all_figures() -> None:
    quality = MaskQuality()
    assert quality.intervals() == {"images": 0, **dict.fromkeys(FIGURES)}
    compare_masks(squares(50, 50, 150, 100), squares(50, 50, 150, 150), quality)
    compare_masks(squares(50, 50, 150, 150), squares(50, 50, 150, 150), quality)
    found = quality.intervals()
    assert found["images"] == 2
    assert found["iou"] == {"mean": 75.0, "interval": [50.0, 100.0]}
    assert found["boundary_f"]["mean"] == pytest.approx(50 * (1 + quality.boundary_f[0]), abs=1e-3)
