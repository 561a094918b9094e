"""Masks drawn from the boxes and polygons of annotations: everything annotated is foreground.

They are written once, as black and white PNG files of the photographs' stored sizes, beside the data sets that dapt
keeps, in a folder named after the content of the annotations. Later runs find them there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from dapt.console import progress, say
from dapt.data.items import ImageSet, Item
from dapt.data.load.images import image_size
from dapt.data.outlines import Outline
from dapt.errors import DataError
from dapt.files import make_folder, whole_file


def with_drawn_masks(data: ImageSet, root: Path) -> ImageSet:
    """The data with masks of its outlines; the same where it has none, or masks already.

    Args:
        root: where data sets are kept, see `dapt.data.catalog.base.data_root`.

    Raises:
        DataError: a photograph cannot be opened, or an outline does not fit it.
    """
    if not data.outlines or data.has_masks:
        return data
    folder = root / "outlines" / f"{data.root.resolve().name}-{_digest(data)}"
    drawn = {name: (folder / name).with_suffix(".png") for name in data.outlines}
    items = {item.name: item for part in data.splits.values() for item in part if item.name in drawn}
    left = [item for name, item in items.items() if not drawn[name].is_file()]
    if left:
        say(f"Drawing {len(left)} masks from the annotations of {data.root} into {folder}.")
    for item in progress(left, len(left), "drawing masks", "masks"):
        path = drawn[item.name]
        make_folder(path.parent)
        mask = draw(data.outlines[item.name], image_size(item.path)[::-1], item)
        with whole_file(path) as temporary:
            mask.save(temporary, format="PNG")

    def masked(item: Item) -> Item:
        return replace(item, mask=drawn[item.name]) if item.name in items else item

    splits = {split: tuple(map(masked, part)) for split, part in data.splits.items()}
    return replace(data, splits=splits, mask_format="binary")


def draw(outlines: Sequence[Outline], size: tuple[int, int], item: Item) -> Image.Image:
    """The union of the outlines as a black and white picture.

    Args:
        size: width and height of the mask. item: the photograph, for messages.

    Raises:
        DataError: runs that do not fill the picture they refer to.
    """
    mask = Image.new("L", size, 0)
    pen = ImageDraw.Draw(mask)
    for outline in outlines:
        if outline.kind == "runs":
            pasted = _runs(outline, item).resize(size, Image.Resampling.NEAREST)
            mask.paste(255, mask=pasted)
            continue
        scale = (size[0] / outline.size[0], size[1] / outline.size[1])
        points = [(x * scale[0], y * scale[1]) for x, y in zip(outline.values[::2], outline.values[1::2], strict=True)]
        if outline.kind == "box":
            (left, top), (right, bottom) = points
            pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), fill=255)
        elif len(points) > 2:
            pen.polygon(points, fill=255)
    return mask


def _runs(outline: Outline, item: Item) -> Image.Image:
    width, height = int(outline.size[0]), int(outline.size[1])
    lengths = np.array(outline.values, dtype=np.int64)
    if (lengths < 0).any() or lengths.sum() != width * height:
        raise DataError(
            f"A mask of {item.name} in the annotations has {int(lengths.sum())} pixels, not {width} x {height}.",
            todo="Export the data again.",
        )
    inside = np.repeat(np.arange(len(lengths)) % 2 * 255, lengths).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(inside.reshape(width, height).T))


def _digest(data: ImageSet) -> str:
    found = hashlib.sha256(str(data.root.resolve()).encode("utf-8", "surrogateescape"))
    for name in sorted(data.outlines):
        found.update(name.encode("utf-8", "surrogateescape"))
        found.update(repr(data.outlines[name]).encode())
    return found.hexdigest()[:16]
