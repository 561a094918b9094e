"""The place of an object in a COCO annotation: polygons, run lengths (plain or packed), else its box.

Packed run lengths are COCO's own text form: numbers in groups of five bits, from the third on as the difference to the
one before the last (``maskApi.c`` of the COCO API, Lin et al., ECCV 2014).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dapt.data.outlines import Outline

LARGEST = 1e9  # a coordinate, or a number of pixels along a side
_BITS = 60  # of a number in packed run lengths


def outlines_of(annotation: Mapping[str, Any], size: tuple[float, float]) -> list[Outline]:
    """The outlines of one annotation; none where it has no place.

    Args:
        size: width and height of the photograph as the file tells it, or `dapt.data.outlines.UNTOLD`.

    Raises:
        KeyError, TypeError, ValueError: it is damaged.
    """
    found = annotation.get("segmentation")
    if isinstance(found, Mapping):
        counts = found["counts"]
        rows, columns = map(_whole, found["size"])
        lengths = unpacked(counts) if isinstance(counts, str) else map(_whole, counts)
        return [Outline("runs", tuple(lengths), (columns, rows))]
    parts = [tuple(map(number_in, part)) for part in _rows(found) if len(part) >= 6 and len(part) % 2 == 0]
    if parts:
        return [Outline("polygon", part, size) for part in parts]
    box = annotation.get("bbox")
    if not box:
        return []
    left, top, width, height = map(number_in, box)
    return [Outline("box", (left, top, left + width, top + height), size)]


def number_in(value: Any) -> float:
    """A coordinate.

    Raises:
        TypeError: it is no number. ValueError: it is not finite, or larger than any picture.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise ValueError
    return float(value)


def _whole(value: Any) -> int:
    """A number of pixels: up to those of a picture whose sides are the largest."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    if not 0 <= value <= LARGEST**2 or int(value) != value:
        raise ValueError
    return int(value)


def _rows(found: Any) -> Sequence[Sequence[Any]]:
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(part, list) for part in found):
        raise TypeError
    return found


def unpacked(text: str) -> list[int]:
    """The run lengths in COCO's text form.

    Raises:
        ValueError: it is none.
    """
    lengths: list[int] = []
    place = 0
    while place < len(text):
        value, shift, more = 0, 0, True
        while more and place < len(text):
            bits = ord(text[place]) - 48
            if not 0 <= bits < 64 or shift > _BITS:
                raise ValueError
            value |= (bits & 0x1F) << shift
            more = bool(bits & 0x20)
            shift += 5
            place += 1
            if not more and bits & 0x10:
                value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
    return lengths
