"""Where a map of foreground is cut into a mask, and how far the mask can be trusted."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor

CutRule = Literal["value", "otsu", "share"]
BINS = 64


def cut(values: Tensor, rule: CutRule, threshold: float = 0.5, share: float = 0.25) -> Tensor:
    """The foreground of a map ``[H, W]``, bool.

    Args:
        rule: ``value``: what reaches `threshold`; ``otsu``: where the two sides differ most, see `otsu_threshold`;
            ``share``: the highest values, so that they cover `share` of the picture.
    """
    if rule == "value":
        return values >= threshold
    if rule == "otsu":
        return values > otsu_threshold(values)
    count = min(values.numel(), max(1, math.ceil(share * values.numel())))
    return values >= values.flatten().topk(count).values[-1]


def otsu_threshold(values: Tensor) -> float:
    """The value that divides a map into two groups with the largest variance between them.

    Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. SMC 1979, on a histogram of 64 bins
    from the least to the largest value. Of a map that is the same everywhere: that value.
    """
    low, high = float(values.min()), float(values.max())
    if high <= low:
        return low
    counts = torch.histc(values.float().cpu(), BINS, low, high)
    middles = (torch.arange(BINS) + 0.5) / BINS
    below = counts.cumsum(0)
    moment = (counts * middles).cumsum(0)
    total = below[-1]
    spread = (moment[-1] * below - moment * total) ** 2 / (below * (total - below)).clamp_min(1e-9)
    return low + (high - low) * (int(spread[:-1].argmax()) + 1) / BINS


def confidence(values: Tensor, mask: Tensor) -> float:
    """How far a mask can be trusted, 0..1: how much higher its map is inside than outside, on average.

    Args:
        values: the map ``[H, W]`` in 0..1. mask: bool ``[H, W]``.

    Returns:
        0 for a mask that is empty or full.
    """
    inside = int(mask.sum())
    if not inside or inside == mask.numel():
        return 0.0
    higher = float(values[mask].float().mean()) - float(values[~mask].float().mean())
    return min(1.0, max(0.0, higher))
