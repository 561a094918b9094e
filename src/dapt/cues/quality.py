"""How good a cue is, measured against true masks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

TOLERANCE = 0.008  # of the diagonal: how far two outlines may be apart


@dataclass
class MaskQuality:
    """Per image: overlap and what is kept.

    Attributes:
        iou: intersection over union with the true foreground.
        foreground_kept: share of the true foreground inside the cue.
        background_kept: share of the true background inside the cue (leaked; 0 is best).
    """

    iou: list[float] = field(default_factory=list)
    foreground_kept: list[float] = field(default_factory=list)
    background_kept: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float | int | None]:
        """Means in percent, and the number of images."""

        def mean(values: list[float]) -> float | None:
            return round(100 * sum(values) / len(values), 3) if values else None

        return {
            "images": len(self.iou),
            "iou": mean(self.iou),
            "foreground_kept": mean(self.foreground_kept),
            "background_kept": mean(self.background_kept),
        }

    def summary(self) -> str:
        """One line for people."""
        figures = self.figures()
        if not self.iou:
            return "against true masks: there is none that is neither empty nor full, so there are no figures"
        return (
            f"against {figures['images']} true masks: IoU {figures['iou']}%, foreground kept "
            f"{figures['foreground_kept']}%, background kept {figures['background_kept']}%"
        )


def compare_masks(cue: Tensor, true: Tensor, quality: MaskQuality) -> None:
    """Add one image: bool masks ``[H, W]``. Images whose true mask is empty or full are left out."""
    inside = int(true.sum())
    outside = true.numel() - inside
    if not inside or not outside:
        return
    both = int((cue & true).sum())
    quality.iou.append(both / int((cue | true).sum()))
    quality.foreground_kept.append(both / inside)
    quality.background_kept.append(int((cue & ~true).sum()) / outside)


def boundary_f(cue: Tensor, true: Tensor, tolerance: float = TOLERANCE) -> float:
    """How well the outlines of two bool masks ``[H, W]`` agree, 0..1; 0 where one has no outline and the other has.

    The harmonic mean of precision and recall of the outline's pixels, a pixel being right if the other outline passes
    within `tolerance` times the diagonal of the picture, one pixel at least (Perazzi et al., "A benchmark dataset and
    evaluation methodology for video object segmentation", CVPR 2016, with 0.008).
    """
    ours, theirs = _outline(cue), _outline(true)
    if not ours.any() or not theirs.any():
        return float(bool(ours.any()) == bool(theirs.any()))
    radius = max(1, math.ceil(tolerance * math.hypot(*true.shape)))
    precision = float((ours & _widened(theirs, radius)).sum() / ours.sum())
    recall = float((theirs & _widened(ours, radius)).sum() / theirs.sum())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outline(mask: Tensor) -> Tensor:
    """The pixels of a mask beside which is one that is not of it; the border of the picture is no outline."""
    outside = F.max_pool2d((~mask).float()[None], 3, stride=1, padding=1)[0] > 0
    return mask & outside


def _widened(lines: Tensor, radius: int) -> Tensor:
    """What lies within so many pixels of the lines."""
    steps = torch.arange(-radius, radius + 1, device=lines.device)
    disc = (steps[:, None] ** 2 + steps**2 <= radius**2).float()
    return F.conv2d(lines.float()[None, None], disc[None, None], padding=radius)[0, 0] > 0.5
