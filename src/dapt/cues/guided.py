"""The guided filter: a coarse map takes over the edges of the photo it belongs to.

He, Sun and Tang, "Guided image filtering", TPAMI 2013 (ECCV 2010), with the photo in colours as guide: in every window
the map is the best linear function of the three colours, and a pixel's value is the mean over the windows it lies in.
The functions are found on the photo reduced to a bounded size and applied at its own (He and Sun, "Fast guided filter",
arXiv 1505.00996).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

LONGEST = 320  # pixels on the longer side of the photo in which the functions are found
RADIUS = 0.05  # of a window, as a share of the shorter side
SOFTNESS = 1e-3  # variance of a colour, in 0..1, below which a window counts as without edges


def guided_filter(photo: Tensor, coarse: Tensor, radius: float = RADIUS, softness: float = SOFTNESS) -> Tensor:
    """A map with the edges of the photo.

    Args:
        photo: uint8 ``[3, H, W]``. coarse: ``[h, w]`` in 0..1, of the whole photo at any resolution.
        radius: of the windows, as a share of the shorter side. softness: what is added to the variances of colours.

    Returns:
        ``[H, W]`` in 0..1 on the photo's device.
    """
    height, width = photo.shape[-2:]
    scale = min(1.0, LONGEST / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    colours = photo.float()[None] / 255
    small = F.interpolate(colours, size=size, mode="area") if scale < 1 else colours
    values = F.interpolate(coarse.to(small)[None, None], size=size, mode="bilinear", align_corners=False)
    slope, offset = _functions(small, values, max(1, round(radius * min(size))), softness)
    if scale < 1:
        slope, offset = (
            F.interpolate(x, (height, width), mode="bilinear", align_corners=False) for x in (slope, offset)
        )
    return ((slope * colours).sum(dim=1) + offset[:, 0])[0].clamp(0, 1)


def _functions(photo: Tensor, values: Tensor, radius: int, softness: float) -> tuple[Tensor, Tensor]:
    """Slopes ``[1, 3, h, w]`` and offsets ``[1, 1, h, w]`` of the linear functions at each pixel."""
    r, g, b = photo.unbind(1)
    products = torch.stack([r * r, r * g, r * b, g * g, g * b, b * b], dim=1)
    sums = _means(torch.cat([photo, values, photo * values, products], dim=1), radius)
    mean, level, both, second = sums[:, :3], sums[:, 3:4], sums[:, 4:7], sums[:, 7:]
    mr, mg, mb = mean.unbind(1)
    rr, rg, rb, gg, gb, bb = (
        second - torch.stack([mr * mr, mr * mg, mr * mb, mg * mg, mg * mb, mb * mb], dim=1)
    ).unbind(1)
    rr, gg, bb = rr + softness, gg + softness, bb + softness
    # the inverse of the symmetric 3 x 3 matrix, by its adjugate
    adjugate = [
        gg * bb - gb * gb,
        rb * gb - rg * bb,
        rg * gb - rb * gg,
        rr * bb - rb * rb,
        rb * rg - rr * gb,
        rr * gg - rg * rg,
    ]
    determinant = rr * adjugate[0] + rg * adjugate[1] + rb * adjugate[2]
    cr, cg, cb = (both - mean * level).unbind(1)
    rows = ((0, 1, 2), (1, 3, 4), (2, 4, 5))
    slope = torch.stack(
        [(adjugate[i] * cr + adjugate[j] * cg + adjugate[k] * cb) / determinant for i, j, k in rows], dim=1
    )
    offset = level - (slope * mean).sum(dim=1, keepdim=True)
    return _means(slope, radius), _means(offset, radius)


def _means(x: Tensor, radius: int) -> Tensor:
    """Means over square windows that end at the border of the picture, one direction after the other."""
    height, width = x.shape[-2:]
    for size, kernel, padding in (
        (height, (2 * radius + 1, 1), (radius, 0)),
        (width, (1, 2 * radius + 1), (0, radius)),
    ):
        if size > 1:
            x = F.avg_pool2d(x, kernel, stride=1, padding=padding, count_include_pad=False)
    return x
