"""Masks drawn from the boxes and polygons of annotations: everything annotated is foreground.

They are written once, as black and white PNG files of the upright photographs' sizes, beside the data sets that dapt
keeps, in a folder named after the content of the annotations and the shapes of the photographs. Later runs find them
there. A photograph that has a mask already keeps it.

Annotation tools see a photograph with an orientation (EXIF) turned or as it is stored. The size that they write tells
which: outlines on the stored pixels are turned with the photograph. Where it does not tell (square photographs, shares
of the picture, no size at all) they are taken for upright, as the tools of YOLO read photographs, and counted.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from dapt.console import progress, say, warn
from dapt.data.items import ImageSet, Item
from dapt.data.load.images import ROTATED, photo_shape
from dapt.data.load.notes import Found, note, several
from dapt.data.masks.mask_files import same_shape
from dapt.data.masks.photo_mask import is_of_stored, turn
from dapt.data.outlines import UNTOLD, Outline
from dapt.errors import DataError
from dapt.files import make_folder, whole_file
from dapt.wording import counted

WHITE = 255
GREY = 200  # foreground both as a brightness and as a label, beside masks of the data of whichever kind
SHARES = (1.0, 1.0)
_RULES = b"2"  # of drawing; masks drawn by others are not used

Pixels = np.ndarray[Any, np.dtype[np.bool_]]


class Shape(NamedTuple):
    """Height and width of a photograph as it is stored, and its orientation (EXIF, 1 to 8)."""

    stored: tuple[int, int]
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """Height and width of the photograph held upright."""
        return self.stored[::-1] if self.orientation in ROTATED else self.stored


def with_drawn_masks(data: ImageSet, root: Path) -> ImageSet:
    """The data with masks of its outlines, for the photographs that have none; the same where all have.

    Args:
        root: where data sets are kept, see `dapt.data.catalog.base.data_root`.

    Raises:
        DataError: an outline does not fit its photograph.
    """
    items = {item.name: item for part in data.splits.values() for item in part}
    items = {name: item for name, item in items.items() if name in data.outlines and item.mask is None}
    if not items:
        return data
    shapes = _shapes(list(items.values()))
    folder = root / "outlines" / f"{data.root.resolve().name}-{_digest(data, shapes)}"
    drawn = {name: folder / f"{name}.png" for name in shapes}
    left = [name for name in shapes if not drawn[name].is_file()]
    if left:
        say(f"Drawing {counted(len(left), 'mask')} from the annotations of {data.root} into {folder}.")
    for name in progress(left, len(left), "drawing masks", "masks"):
        path = drawn[name]
        make_folder(path.parent)
        mask = draw(data.outlines[name], shapes[name], items[name])
        if data.has_masks:
            mask = mask.point([0] * WHITE + [GREY])
        with whole_file(path) as temporary:
            mask.save(temporary, format="PNG")

    def masked(item: Item) -> Item:
        return replace(item, mask=drawn[item.name]) if item.name in drawn else item

    splits = {split: tuple(map(masked, part)) for split, part in data.splits.items()}
    return replace(data, splits=splits, mask_format=data.mask_format if data.has_masks else "binary")


def _shapes(items: Sequence[Item]) -> dict[str, Shape]:
    """The shapes of the photographs that can be opened; of others no mask is drawn."""
    found: dict[str, Shape] = {}
    closed: list[str] = []
    for item in items:
        try:
            found[item.name] = Shape(*photo_shape(item.path))
        except DataError:
            closed.append(item.name)
    if closed:
        which = several(closed, "annotated photo", "annotated photos")
        warn(f"{which} cannot be opened, so no masks are drawn; the first: {closed[0]}.")
    return found


def draw(outlines: Sequence[Outline], shape: Shape, item: Item) -> Image.Image:
    """The union of the outlines as a black and white picture, held upright. A pixel is inside if its centre is.

    Args:
        item: the photograph, for messages.

    Raises:
        DataError: an outline refers to a picture of another shape, or runs do not fill theirs.
    """
    mask = np.zeros(shape.upright, dtype=bool)
    for of_stored in (False, True):
        part = [outline for outline in outlines if made_on_stored(outline, shape, item) == of_stored]
        if part:
            pixels = np.zeros(shape.stored if of_stored else shape.upright, dtype=bool)
            for outline in part:
                _fill(pixels, outline, item)
            mask |= turn(torch.from_numpy(pixels), shape.orientation).numpy() if of_stored else pixels
    return Image.fromarray(mask.astype(np.uint8) * WHITE)


def made_on_stored(outline: Outline, shape: Shape, item: Item) -> bool:
    """Whether an outline was made on the pixels as they are stored.

    Raises:
        DataError: it refers to a picture of another shape than the photograph's.
    """
    turned = shape.orientation in range(2, 9)
    if outline.size in (SHARES, UNTOLD):
        if turned:
            note(undecided_outlines, item.name)
        return False
    size = (max(1, int(outline.size[1])), max(1, int(outline.size[0])))
    if turned:
        found = is_of_stored(size, shape.stored, shape.orientation)
        if found is None:
            note(undecided_outlines, item.name)
        elif found:
            return True
    if not same_shape(size, shape.upright):
        raise DataError(
            f"The annotations of {item.name} are those of a picture of {size[1]} x {size[0]} pixels, but the photo has "
            f"{shape.upright[1]} x {shape.upright[0]}.",
            todo="Export the data again together with its photos; they may have been cut or resized since.",
        )
    return False


def _fill(pixels: Pixels, outline: Outline, item: Item) -> None:
    height, width = pixels.shape
    if outline.kind == "runs":
        pixels |= _runs(outline, (height, width), item)
        return
    size = (width, height) if outline.size == UNTOLD else outline.size
    points = np.array(outline.values, dtype=np.float64).reshape(-1, 2) * (width / size[0], height / size[1])
    if outline.kind == "box":
        (left, top), (right, bottom) = points
        points = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
    inside = polygon(points, (height, width))
    if not inside.any() and len(points):  # between the centres of pixels
        x, y = points.mean(axis=0)
        if 0 <= x <= width and 0 <= y <= height:
            inside[min(int(y), height - 1), min(int(x), width - 1)] = True
    pixels |= inside


def polygon(points: np.ndarray[Any, Any], size: tuple[int, int]) -> Pixels:
    """The pixels ``[H, W]`` whose centres lie within a polygon; of one that crosses itself, what is inside once.

    Args:
        points: x and y of the corners ``[N, 2]``, in pixels. size: height and width.
    """
    height, width = size
    changes = np.zeros((height, width + 1), dtype=bool)
    for (x, y), (other_x, other_y) in zip(points, np.roll(points, -1, axis=0), strict=True):
        first, last = (max(0, min(height, math.ceil(end - 0.5))) for end in sorted((y, other_y)))
        if first < last:
            rows = np.arange(first, last)
            columns = np.ceil(x + (rows + 0.5 - y) * ((other_x - x) / (other_y - y)) - 0.5)
            changes[rows, np.clip(columns, 0, width).astype(np.int64)] ^= True
    return np.logical_xor.accumulate(changes, axis=1)[:, :width]


def _runs(outline: Outline, size: tuple[int, int], item: Item) -> Pixels:
    """Runs as pixels of the photograph, whatever size they are of: no more is held than the photograph has."""
    width, height = int(outline.size[0]), int(outline.size[1])
    if min(outline.values, default=0) < 0 or sum(outline.values) != width * height:
        raise DataError(
            f"A mask of {item.name} in the annotations has {sum(outline.values):.0f} pixels, not {width} x {height}.",
            todo="Export the data again.",
        )
    ends = np.cumsum(np.array(outline.values, dtype=np.int64))
    rows = ((np.arange(size[0]) + 0.5) * (height / size[0])).astype(np.int64)
    columns = ((np.arange(size[1]) + 0.5) * (width / size[1])).astype(np.int64)
    places = columns[None, :] * height + rows[:, None]
    inside: Pixels = np.searchsorted(ends, places.ravel(), side="right").reshape(size) % 2 == 1
    return inside


def undecided_outlines(found: Found) -> str:
    """What is said of outlines that may have been made before or after the photograph was turned."""
    return (
        f"{several(found, 'annotated photo is', 'annotated photos are')} turned by EXIF orientation, and the "
        "annotations do not tell whether they were made before or after that (shares of the picture, no size, or a "
        f"square): they are taken for upright. Look at one (the first: {found[0][0]}); if they are not, save the "
        "photos turned, without the tag."
    )


def _digest(data: ImageSet, shapes: Mapping[str, Shape]) -> str:
    found = hashlib.sha256(str(data.root.resolve()).encode("utf-8", "surrogateescape"))
    found.update(_RULES + (b"grey" if data.has_masks else b""))
    for name in sorted(shapes):
        found.update(name.encode("utf-8", "surrogateescape"))
        found.update(repr((tuple(shapes[name]), data.outlines[name])).encode())
    return found.hexdigest()[:16]
