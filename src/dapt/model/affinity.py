"""Maps spread along the attention between patches, inside their own box.

CLIP-ES (Lin et al., "CLIP is also an efficient segmenter", CVPR 2023, arXiv 2212.09506): patches that attend to each
other belong together. Attention is made doubly stochastic (Sinkhorn), symmetric, and squared; what lies outside the
box of the map says nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor

BOX = 0.4  # of the maximum: what the box holds; as published for VOC
SINKHORN = 2  # rounds, as published


def spread_by_attention(maps: Tensor, attention: Tensor, box: float = BOX) -> Tensor:
    """Maps ``[B, h, w]`` of 0 or more, spread along attention between their patches ``[B, h * w, h * w]``.

    Args:
        box: the box of a map holds what reaches this share of its maximum.
    """
    affinity = attention
    for _ in range(SINKHORN):
        affinity = affinity / affinity.sum(dim=1, keepdim=True)
        affinity = affinity / affinity.sum(dim=2, keepdim=True)
    affinity = (affinity + affinity.transpose(1, 2)) / 2
    affinity = affinity @ affinity
    inside = boxes_of(maps, box).flatten(1).unsqueeze(1)
    spread: Tensor = ((affinity * inside) @ maps.flatten(1).unsqueeze(2).to(affinity.dtype)).view_as(maps)
    return spread


def boxes_of(maps: Tensor, share: float) -> Tensor:
    """The smallest box of each map ``[B, h, w]`` that holds what reaches `share` of its maximum, in 0/1."""
    high = maps >= share * maps.amax(dim=(1, 2), keepdim=True)
    return (_from_first_to_last(high.any(dim=2)).unsqueeze(2) & _from_first_to_last(high.any(dim=1)).unsqueeze(1)).to(
        maps.dtype
    )


def _from_first_to_last(lines: Tensor) -> Tensor:
    """``[B, n]`` bool, true from the first to the last that is true."""
    after_first = lines.int().cumsum(dim=1) > 0
    before_last = lines.int().flip(1).cumsum(dim=1).flip(1) > 0
    return torch.logical_and(after_first, before_last)
