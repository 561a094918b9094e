"""The place of an object in a COCO annotation: polygons, run lengths (plain or packed), else its box.

Packed run lengths are COCO's own text form: numbers in groups of five bits, from the third on as the difference to the
one before the last (``maskApi.c`` of the COCO API, Lin et al., ECCV 2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dapt.data.outlines import Outline


def outlines_of(annotation: Mapping[str, Any], size: tuple[float, float] | None) -> list[Outline]:
    """The outlines of one annotation; none where it has no place.

    Args:
        size: width and height of the photograph as the file tells it; None: it does not.

    Raises:
        KeyError, TypeError: it is damaged.
    """
    found = annotation.get("segmentation")
    if isinstance(found, Mapping):
        counts, (height, width) = found["counts"], found["size"]
        lengths = unpacked(counts) if isinstance(counts, str) else counts
        return [Outline("runs", tuple(lengths), (width, height))]
    if size is None:
        return []
    polygons = [tuple(map(float, part)) for part in found or () if len(part) >= 6 and len(part) % 2 == 0]
    if polygons:
        return [Outline("polygon", part, size) for part in polygons]
    box = annotation.get("bbox")
    if not box:
        return []
    left, top, width, height = map(float, box)
    return [Outline("box", (left, top, left + width, top + height), size)]


def unpacked(text: str) -> list[int]:
    """The run lengths in COCO's text form."""
    lengths: list[int] = []
    place = 0
    while place < len(text):
        value, shift, more = 0, 0, True
        while more and place < len(text):
            bits = ord(text[place]) - 48
            value |= (bits & 0x1F) << shift
            more = bool(bits & 0x20)
            shift += 5
            place += 1
            if not more and bits & 0x10:
                value -= 1 << shift
        lengths.append(value + lengths[-2] if len(lengths) > 2 else value)
    return lengths
