"""Spots on an object: what makes a kind of its own of it, such as the red fish with blue spots."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from dapt.demo.drawing.pen import Colour, Pixels, Point

SPACING = (0.50, 0.62)  # from spot to spot, in units of half the object's size
RADIUS = 0.3  # of a spot, as a share of the spacing
PAINT = 0.9  # how much of the spots' colour covers what is beneath
ROWS = 0.87  # distance of the rows of spots, as a share of the spacing: every spot is as far from its neighbours


def spotted(colours: Pixels, cover: Pixels, paint: Colour, centre: Point, scale: float, rng: Generator) -> Pixels:
    """An object with round spots of one colour all over it, in rows that are shifted against each other.

    Args:
        colours: the object, colours times coverage ``[H, W, 3]``. cover: its coverage ``[H, W]``, 0..1.
        paint: colour of the spots. centre, scale: place and half size of the object, as shares of the picture.
        rng: decides how the rows are turned, and how far apart the spots are.

    Returns:
        the spotted object ``[H, W, 3]``, colours times coverage.
    """
    size = cover.shape[0]
    axis = np.arange(size, dtype=np.float32) / size
    x, y = np.meshgrid(axis - centre[0], axis - centre[1])
    turn = rng.uniform(-0.35, 0.35) + (np.pi / 2 if rng.random() < 0.5 else 0.0)
    along = (x * np.cos(turn) + y * np.sin(turn)) / scale
    across = (y * np.cos(turn) - x * np.sin(turn)) / scale
    spacing = rng.uniform(*SPACING)
    shift_along, shift_across = rng.uniform(0, 1, 2)
    rows = across / (ROWS * spacing) + shift_across
    cells = along / spacing + shift_along + 0.5 * (np.floor(rows) % 2)
    distance = spacing * np.hypot(cells % 1 - 0.5, ROWS * (rows % 1 - 0.5))
    soft = np.clip((RADIUS * spacing - distance) * scale * size / 2 + 0.5, 0, 1)
    share = (PAINT * soft)[..., None]
    painted: Pixels = colours * (1 - share) + np.array(paint, dtype=np.float32) * share * cover[..., None]
    return painted.astype(np.float32)
