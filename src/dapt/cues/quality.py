"""How good a cue is, measured against true masks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from torch import Tensor

TOLERANCE = 0.0075  # of the diagonal: so far apart outlines still agree
RESAMPLES = 1000
COVERED = 0.95  # by an interval
FIGURES = ("iou", "boundary_f", "foreground_kept", "background_kept")
_AT_A_TIME = 2**22  # numbers drawn in one go

Pixels = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass
class MaskQuality:
    """Per image: overlap and what is kept.

    Attributes:
        iou: intersection over union with the true foreground.
        foreground_kept: share of the true foreground inside the cue.
        background_kept: share of the true background inside the cue (leaked; 0 is best).
        boundary_f: see the function of that name.
    """

    iou: list[float] = field(default_factory=list)
    foreground_kept: list[float] = field(default_factory=list)
    background_kept: list[float] = field(default_factory=list)
    boundary_f: list[float] = field(default_factory=list)

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

    def intervals(self, *, seed: int = 1) -> dict[str, Any]:
        """The number of images, and of each of `FIGURES` its mean and 95% interval in percent; None without images.

        The intervals are percentiles of means over images drawn with replacement (bootstrap, Efron 1979).
        """
        found: dict[str, Any] = {"images": len(self.iou)}
        for name in FIGURES:
            values = getattr(self, name)
            ends = [100 * end for end in bootstrap_interval(values, seed=seed)] if values else []
            mean = 100 * sum(values) / len(values) if values else None
            found[name] = None if mean is None else {"mean": round(mean, 3), "interval": [round(e, 3) for e in ends]}
        return found

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
    quality.boundary_f.append(boundary_f(cue, true))


def boundary_f(cue: Tensor, true: Tensor) -> float:
    """How well two outlines agree, 0..1: harmonic mean of precision and recall of their pixels, bool masks ``[H, W]``.

    A pixel of one outline is right if one of the other lies within 0.75% of the picture's diagonal (rounded up), the
    tolerance of Martin, Fowlkes and Malik (PAMI 2004) for contours. Used so for masks by Perazzi et al. (DAVIS, CVPR
    2016, the measure F), where each outline pixel may match any other. The edge of the picture is no outline. Two
    masks without any agree; one that has none and one that has one do not.
    """
    ours, theirs = _outline(cue), _outline(true)
    if not ours.any() or not theirs.any():
        return float(not ours.any() and not theirs.any())
    radius = math.ceil(TOLERANCE * math.hypot(*ours.shape))
    precision, recall = _share_near(ours, theirs, radius), _share_near(theirs, ours, radius)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outline(mask: Tensor) -> Pixels:
    """Pixels that differ from their neighbour to the right, below, or both ways, ``[H, W]``."""
    inside: Pixels = mask.detach().cpu().bool().numpy()
    edge = np.zeros_like(inside)
    edge[:, :-1] |= inside[:, :-1] != inside[:, 1:]
    edge[:-1] |= inside[:-1] != inside[1:]
    edge[:-1, :-1] |= inside[:-1, :-1] != inside[1:, 1:]
    return edge


def _share_near(points: Pixels, others: Pixels, radius: int) -> float:
    """The share of `points` with one of `others` within a disk of `radius` pixels.

    Row by row of the disk, by sums along the rows of `others`: as many look-ups as the outline has pixels, not the
    picture.
    """
    height, width = others.shape
    sums = np.zeros((height, width + 1), np.int32)
    np.cumsum(others, axis=1, out=sums[:, 1:])
    rows, columns = np.nonzero(points)
    near = np.zeros(len(rows), bool)
    for step in range(-radius, radius + 1):
        reach = math.isqrt(radius * radius - step * step)
        row = rows + step
        there = (row >= 0) & (row < height) & ~near
        left = np.maximum(columns[there] - reach, 0)
        right = np.minimum(columns[there] + reach + 1, width)
        near[there] = sums[row[there], right] > sums[row[there], left]
    return float(near.mean())


def bootstrap_interval(values: Sequence[float], *, seed: int = 1) -> tuple[float, float]:
    """The ends of the 95% percentile interval of a mean, by `RESAMPLES` draws with replacement; the seed fixes them.

    Raises:
        ValueError: there are no values.
    """
    if not len(values):
        raise ValueError("no values, no interval")
    known = np.asarray(values, np.float64)
    generator = np.random.default_rng(seed)
    together = max(1, _AT_A_TIME // len(known))
    means = [
        known[generator.integers(len(known), size=(min(together, RESAMPLES - start), len(known)))].mean(axis=1)
        for start in range(0, RESAMPLES, together)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - COVERED) / 2, (1 + COVERED) / 2])
    return float(low), float(high)
