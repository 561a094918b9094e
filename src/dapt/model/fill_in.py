"""Filling what is not known of pictures from what is."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor


def filled_from_around(values: Tensor, known: Tensor) -> Tensor:
    """Pictures whose holes are filled smoothly from their surroundings, by pull and push.

    Gortler et al. 1996, The Lumigraph, SIGGRAPH: known pixels are averaged to half the size until one is left, and each
    larger picture takes from the smaller one what it lacks. Plain operations on tensors, the same on every device; a
    picture of which nothing is known becomes 0.

    Args:
        values: ``[B, C, H, W]``. known: ``[B, 1, H, W]`` in 0..1, how far each pixel is known; the rest is filled.
    """
    height, width = values.shape[-2:]
    if height == 1 and width == 1:
        return values * (known > 0)
    weight = F.avg_pool2d(known, 2, ceil_mode=True)
    smaller = F.avg_pool2d(values * known, 2, ceil_mode=True) / weight.clamp(min=1e-6)
    smaller = filled_from_around(smaller, (weight > 0).to(known.dtype))
    larger = F.interpolate(smaller, size=(height, width), mode="bilinear", align_corners=False)
    return values * known + larger * (1 - known)
