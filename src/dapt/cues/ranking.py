"""Ranking the cells of a picture by how alike they are in colour to some of them.

Yang, Zhang, Lu, Ruan and Yang, "Saliency detection via graph-based manifold ranking", CVPR 2013: neighbouring cells are
joined, by as much as their colours agree, cells at the border of the picture with each other, too; what is said of some
cells spreads along the graph, ``f = (D - a W)^-1 y``. Here the cells are squares of a regular grid instead of
superpixels, so that pictures are ranked in batches.
"""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

GRID = 16  # cells per side
KEPT = 0.99  # of what a cell hands on; as published
REACH = 2  # cells: neighbours and their neighbours, as published
TIE = 1e-5  # between neighbours whose colours have nothing in common
LEAST = 0.01  # between the colours of a picture in which anything can differ: what is just noticeable (CIE 1976)
WHITE = (0.95047, 1.0, 1.08883)
TO_XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))


def lab(colours: Tensor) -> Tensor:
    """CIE L*a*b* (D65) divided by 100 of sRGB ``[..., 3]`` in 0..1."""
    linear = torch.where(colours > 0.04045, ((colours + 0.055) / 1.055) ** 2.4, colours / 12.92)
    xyz = linear @ colours.new_tensor(TO_XYZ).t() / colours.new_tensor(WHITE)
    curve = torch.where(xyz > 0.008856, xyz.clamp_min(1e-9) ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = curve.unbind(-1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=-1) / 100


def cell_colours(photo: Tensor, grid: int = GRID) -> Tensor:
    """Mean colours, as `lab`, of the cells of a photo, uint8 ``[3, H, W]``: ``[grid * grid, 3]``."""
    cells = F.interpolate(photo.float()[None] / 255, size=(grid, grid), mode="area")
    return lab(cells[0].flatten(1).t())


@lru_cache(maxsize=8)
def _neighbours(grid: int) -> tuple[Tensor, Tensor]:
    """Which cells are joined, ``[n, n]`` in 0/1; which lie at the top, bottom, left and right, ``[n, 4]``."""
    row, column = torch.meshgrid(torch.arange(grid), torch.arange(grid), indexing="ij")
    row, column = row.flatten(), column.flatten()
    distance = (row[:, None] - row) ** 2 + (column[:, None] - column) ** 2
    sides = torch.stack([row == 0, row == grid - 1, column == 0, column == grid - 1], dim=1)
    border = sides.any(dim=1)
    joined = (distance <= REACH**2) | (border[:, None] & border)
    return joined.fill_diagonal_(False).float(), sides.float()


def ranking(colours: Tensor, spread: float) -> Tensor:
    """What each cell makes of what is said of each other one, ``[B, n, n]``; nobody hears himself.

    Args:
        colours: ``[B, n, 3]`` of a square grid, see `cell_colours`. spread: distance of colours, of which `lab` makes
            about 1 from black to white, at which two cells have little to say to each other.
    """
    joined, _ = _neighbours(round(colours.shape[1] ** 0.5))
    weights = (torch.exp(-torch.cdist(colours, colours) / spread) + TIE) * joined
    graph = torch.diag_embed(weights.sum(dim=2)) - KEPT * weights
    found: Tensor = torch.linalg.inv(graph)
    return found - torch.diag_embed(found.diagonal(dim1=1, dim2=2))


def unlike_the_border(colours: Tensor, spread: float) -> Tensor:
    """How unlike the border of the picture each cell is, ``[B, grid, grid]`` in 0..1.

    Cells are ranked by each side of the picture, what is unlike all four is looked at, and all are ranked anew by it.
    Where no cell differs visibly from another (`LEAST`) all are 0: the graph alone would say "the middle".

    Args:
        colours: ``[B, n, 3]``. spread: see `ranking`.
    """
    hears = ranking(colours, spread)
    grid = round(colours.shape[1] ** 0.5)
    _, sides = _neighbours(grid)
    first = (1 - scaled(hears @ sides)).prod(dim=2)
    seeds = (first > first.mean(dim=1, keepdim=True)).float()
    found = scaled(hears @ seeds[..., None])[..., 0].view(-1, grid, grid)
    differs = (colours.amax(dim=1) - colours.amin(dim=1)).norm(dim=-1) >= LEAST
    shown: Tensor = found * differs.view(-1, 1, 1)
    return shown


def spread_by_colour(maps: Tensor, colours: Tensor, spread: float) -> Tensor:
    """Maps ``[B, h, w]``, what is above its mean handed on to cells of like colour: ``[B, grid, grid]`` in 0..1.

    Args:
        colours: ``[B, n, 3]``. spread: see `ranking`.
    """
    grid = round(colours.shape[1] ** 0.5)
    cells = F.interpolate(maps[:, None].float().cpu(), size=(grid, grid), mode="bilinear", align_corners=False)
    above = cells.flatten(1) - cells.flatten(1).mean(dim=1, keepdim=True)
    return scaled(ranking(colours, spread) @ above.clamp_min(0)[..., None])[..., 0].view(-1, grid, grid)


def scaled(values: Tensor) -> Tensor:
    """``[B, n, k]`` moved and divided so that the n values reach from 0 to 1; zeros where they are all the same."""
    low, high = values.amin(dim=1, keepdim=True), values.amax(dim=1, keepdim=True)
    return (values - low) / (high - low).clamp_min(torch.finfo(values.dtype).tiny)
