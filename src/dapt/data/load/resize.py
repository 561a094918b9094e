"""Resizing masks and maps."""

from __future__ import annotations

import torch
from torch import Tensor


def resize_map(mask: Tensor, size: tuple[int, int], *, soft: bool) -> Tensor:
    """A map ``[h, w]`` of any type as float at `size`: bilinear when soft, else by the nearest pixel."""
    mask = mask.float()
    if tuple(mask.shape) == size:
        return mask
    mode = "bilinear" if soft else "nearest-exact"
    return torch.nn.functional.interpolate(mask[None, None], size=size, mode=mode)[0, 0]
