"""The objects of one photograph as a mask, and what there is to say about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dapt.data.items import Item
from dapt.data.mask_imports.base import Mark
from dapt.data.masks.drawn import SHARES, Shape, draw, made_on_stored
from dapt.data.outlines import UNTOLD, Outline

SLACK = 1.0  # pixels that an outline may pass the edge of its picture, as rounding makes it

Pixels = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class PlacedMarks:
    """How objects lie in a photograph.

    Attributes:
        marks: what of them lies within, at least in part. clipped: objects that pass the edge of the picture.
        outside: objects that lie beyond it wholly. resized: some were marked in a picture of another size.
        unsized: the annotations do not tell the size of the picture, so their numbers are taken for its pixels.
    """

    marks: tuple[Mark, ...]
    clipped: int
    outside: int
    resized: bool
    unsized: bool


def check_shapes(marks: Sequence[Mark], shape: Shape, item: Item) -> None:
    """Refuse objects that were marked in a picture of another shape than the photograph's.

    Raises:
        DataError: naming both sizes.
    """
    for outline in {outline.size: outline for mark in marks for outline in mark.outlines}.values():
        made_on_stored(outline, shape, item)


def place_marks(marks: Sequence[Mark], shape: Shape) -> PlacedMarks:
    """Which objects lie within the photograph, without drawing them."""
    clipped = outside = 0
    inside: list[Mark] = []
    for mark in marks:
        places = [_place(outline, shape) for outline in mark.outlines]
        kept = tuple(one for one, place in zip(mark.outlines, places, strict=True) if place != "outside")
        if not kept:
            outside += 1
            continue
        clipped += any(place != "inside" for place in places)
        inside.append(Mark(mark.label, kept))
    resized = any(_resized(outline, shape) for mark in inside for outline in mark.outlines)
    unsized = any(outline.size == UNTOLD for mark in marks for outline in mark.outlines)
    return PlacedMarks(tuple(inside), clipped, outside, resized, unsized)


def draw_marks(marks: Sequence[Mark], shape: Shape, item: Item) -> tuple[Pixels, str]:
    """The union of all objects, bool ``[H, W]`` of the photograph held upright; and two categories that overlap.

    Returns:
        the mask, and ``cat and dog`` for the first two categories that share pixels; empty where none do.

    Raises:
        DataError: see `check_shapes`.
    """
    whole = np.zeros(shape.upright, dtype=bool)
    by_label: dict[str, list[Outline]] = {}
    for mark in place_marks(marks, shape).marks:
        by_label.setdefault(mark.label, []).extend(mark.outlines)
    drawn: dict[str, Pixels] = {}
    overlap = ""
    for label, outlines in by_label.items():
        pixels = np.asarray(draw(outlines, shape, item)) > 0
        if not overlap and bool((whole & pixels).any()):
            other = next(name for name, one in drawn.items() if bool((one & pixels).any()))
            overlap = f"{other} and {label}"
        whole |= pixels
        if not overlap and len(by_label) > 1:
            drawn[label] = pixels
    return whole, overlap


def _place(outline: Outline, shape: Shape) -> str:
    """Whether an outline lies in the picture that its numbers refer to: inside, outside, or across the edge."""
    if outline.kind == "runs":
        return "inside"
    width, height = outline.size if outline.size != UNTOLD else (shape.upright[1], shape.upright[0])
    slack = (SLACK / shape.upright[1], SLACK / shape.upright[0]) if outline.size == SHARES else (SLACK, SLACK)
    xs, ys = outline.values[0::2], outline.values[1::2]
    if max(xs) <= 0 or max(ys) <= 0 or min(xs) >= width or min(ys) >= height:
        return "outside"
    beyond = min(xs) < -slack[0] or min(ys) < -slack[1] or max(xs) > width + slack[0] or max(ys) > height + slack[1]
    return "across" if beyond else "inside"


def _resized(outline: Outline, shape: Shape) -> bool:
    if outline.size in (SHARES, UNTOLD):
        return False
    return (int(outline.size[1]), int(outline.size[0])) not in (shape.stored, shape.upright)
