"""Shapes that annotation tools draw, as outlines: ellipses, turned boxes, and bitmaps."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import numpy as np

from dapt.data.load.picture_files import header, prepare
from dapt.data.outlines import Outline
from dapt.limits import DRAFT_TIMES, MAX_MEGAPIXELS

CORNERS = 360  # of an ellipse: a radius of 5,000 pixels is off by a fifth of a pixel

Size = tuple[float, float]  # width and height
Bits = np.ndarray[Any, np.dtype[np.bool_]]


def ellipse(x: float, y: float, radii: Size, degrees: float, size: Size) -> Outline:
    """An ellipse about x, y.

    Args:
        radii: along x and y, before it is turned. degrees: clockwise, as seen. size: of the picture.
    """
    angles = np.linspace(0, 2 * math.pi, CORNERS, endpoint=False)
    corners = np.stack([x + radii[0] * np.cos(angles), y + radii[1] * np.sin(angles)], axis=1)
    return _turned(corners, (x, y), degrees, size)


def box(left: float, top: float, right: float, bottom: float, size: Size) -> Outline:
    """An upright box, whichever corner comes first."""
    return Outline("box", (min(left, right), min(top, bottom), max(left, right), max(top, bottom)), size)


def turned_box(sides: tuple[float, float, float, float], about: Size, degrees: float, size: Size) -> Outline:
    """A box that is turned about a point.

    Args:
        sides: left, top, right, bottom before it is turned. degrees: clockwise, as seen. size: of the picture.
    """
    if degrees % 360 == 0:
        return box(*sides, size)
    left, top, right, bottom = sides
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float64)
    return _turned(corners, about, degrees, size)


def _turned(corners: np.ndarray[Any, Any], about: Size, degrees: float, size: Size) -> Outline:
    angle = math.radians(degrees)
    away = corners - about
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])  # y points down
    return Outline("polygon", tuple(float(value) for value in (away @ turn + about).ravel()), size)


def runs_of(bits: Bits) -> Outline:
    """A bitmap ``[H, W]`` of the whole picture as runs down its columns."""
    height, width = bits.shape
    flat = bits.T.ravel()
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    ends = np.concatenate([[0], changes, [flat.size]])
    lengths = np.diff(ends).tolist()
    if flat.size and flat[0]:
        lengths = [0, *lengths]
    return Outline("runs", tuple(lengths), (width, height))


def bitmap(packed: Any) -> Bits:
    """A picture in base 64, also as a data URL: what is opaque; of one without transparency, what is not black.

    Raises:
        ValueError, OSError and others of `dapt.data.load.picture_files.DAMAGE`, Refusal: it is none.
    """
    if not isinstance(packed, str):
        raise ValueError("a mask without its bitmap")
    text = packed.partition(",")[2] if packed.startswith("data") else packed
    with header(io.BytesIO(base64.b64decode(text, validate=True))) as image:
        prepare(image)
        return np.asarray(image.getchannel("A") if "A" in image.getbands() else image.convert("L")) > 0


def placed(bits: Bits, left: int, top: int, size: tuple[int, int]) -> Outline:
    """A bitmap that covers a part of the picture; what lies beyond the picture is cut off.

    Args:
        left, top: the place of its first pixel. size: width and height of the picture.

    Raises:
        ValueError: the picture is larger than any that is read.
    """
    width, height = size
    if width * height > DRAFT_TIMES * MAX_MEGAPIXELS * 1e6:
        raise ValueError(f"its picture would have {width} x {height} pixels")
    whole = np.zeros((height, width), dtype=bool)
    part = bits[max(0, -top) : max(0, height - top), max(0, -left) : max(0, width - left)]
    first, second = max(0, top), max(0, left)
    whole[first : first + part.shape[0], second : second + part.shape[1]] = part
    return runs_of(whole)
