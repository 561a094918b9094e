"""`Pen`: antialiased filled shapes on a transparent layer, in the object's own unit frame.

Shapes are given in a frame whose x and y run from -1 to 1 (y down); the pen places that frame in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Point = tuple[float, float]
Colour = tuple[float, float, float]
Pixels = NDArray[np.floating[Any]]

SUPERSAMPLE = 4  # sub-pixels per side that are averaged into a pixel


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """`colour` with a `share` (0..1) of `other` in it."""
    a, b, c = (x + (y - x) * share for x, y in zip(colour, other, strict=True))
    return a, b, c


def light(colour: Colour, share: float = 0.35) -> Colour:
    """A lighter tone."""
    return mix(colour, (1.0, 1.0, 1.0), share)


def dark(colour: Colour, share: float = 0.35) -> Colour:
    """A darker tone."""
    return mix(colour, (0.0, 0.0, 0.0), share)


class Pen:
    """Draws shapes of one object.

    Args:
        size: pixels per side of the picture. centre: middle of the object, as shares of the picture.
        scale: half the object's size, as a share of the picture. angle: clockwise turn in degrees.
        flip: mirror left and right. stretch: width over height of the unit frame.
    """

    def __init__(
        self, size: int, centre: Point, scale: float, *, angle: float = 0.0, flip: bool = False, stretch: float = 1.0
    ) -> None:
        side = size * SUPERSAMPLE
        self._layer = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        self._draw = ImageDraw.Draw(self._layer)
        turn = math.radians(angle)
        unit = scale * side
        wide = unit * math.sqrt(stretch) * (-1 if flip else 1)
        high = unit / math.sqrt(stretch)
        self._matrix = np.array(
            [[wide * math.cos(turn), -high * math.sin(turn)], [wide * math.sin(turn), high * math.cos(turn)]]
        )
        self._origin = np.array(centre) * side
        self._unit = unit

    def polygon(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled polygon."""
        placed = np.asarray(points, dtype=float) @ self._matrix.T + self._origin
        self._draw.polygon([(float(x), float(y)) for x, y in placed], fill=_bytes(colour))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour, angle: float = 0.0) -> None:
        """A filled ellipse around (x, y), turned clockwise by `angle` degrees."""
        self.polygon(arc(x, y, rx, ry, 0, 360, angle), colour)

    def curve(self, points: Sequence[Point], colour: Colour) -> None:
        """A filled, smooth closed curve through the points."""
        self.polygon(smooth(points, closed=True), colour)

    def line(self, points: Sequence[Point], width: float, colour: Colour, *, curved: bool = False) -> None:
        """A stroke with round ends and joints; `width` in units of the frame."""
        placed = np.asarray(smooth(points) if curved else points, dtype=float) @ self._matrix.T + self._origin
        thick = max(width * self._unit, 1.0)
        path = [(float(x), float(y)) for x, y in placed]
        self._draw.line(path, fill=_bytes(colour), width=max(round(thick), 1), joint="curve")
        radius = thick / 2
        for x, y in path if not curved else (path[0], path[-1]):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_bytes(colour))

    def layer(self) -> tuple[Pixels, Pixels]:
        """What was drawn: colours times coverage ``[H, W, 3]`` and coverage ``[H, W]``, 0..1."""
        small = self._layer.convert("RGBa").reduce(SUPERSAMPLE)
        values = np.asarray(small, dtype=np.float32) / 255
        return values[..., :3], values[..., 3]


def arc(
    x: float, y: float, rx: float, ry: float, start: float, stop: float, angle: float = 0.0, steps: int = 36
) -> list[Point]:
    """Points of an elliptical arc from `start` to `stop` degrees (0 is right, 90 is down)."""
    turn = math.radians(angle)
    points = []
    for value in np.linspace(math.radians(start), math.radians(stop), steps):
        u, v = rx * math.cos(value), ry * math.sin(value)
        points.append((x + u * math.cos(turn) - v * math.sin(turn), y + u * math.sin(turn) + v * math.cos(turn)))
    return points


def smooth(points: Sequence[Point], closed: bool = False, steps: int = 8) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    known = np.asarray(points, dtype=float)
    if closed:
        known = np.concatenate([known[-1:], known, known[:2]])
    else:
        known = np.concatenate([2 * known[:1] - known[1:2], known, 2 * known[-1:] - known[-2:-1]])
    result: list[Point] = []
    for before, start, stop, after in zip(known, known[1:], known[2:], known[3:], strict=False):
        for t in np.linspace(0, 1, steps, endpoint=False):
            value = 0.5 * (
                2 * start
                + (stop - before) * t
                + (2 * before - 5 * start + 4 * stop - after) * t**2
                + (3 * start - before - 3 * stop + after) * t**3
            )
            result.append((float(value[0]), float(value[1])))
    if not closed:
        result.append((float(known[-2][0]), float(known[-2][1])))
    return result


def _bytes(colour: Colour) -> tuple[int, int, int, int]:
    red, green, blue = (round(255 * min(max(value, 0.0), 1.0)) for value in colour)
    return red, green, blue, 255
