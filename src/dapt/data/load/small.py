"""A photograph at a small size, for looking at many: JPEGs are decoded reduced, which takes a fraction of the time."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps

from dapt.data.load.draft import PLAIN, REDUCED
from dapt.data.load.images import ORIENTATION, ROTATED, open_image
from dapt.data.load.picture_files import DAMAGE, Refusal, opened, prepare
from dapt.data.load.pixels import decoding, max_megapixels, take_room, without_pillow_limit

UPRIGHT = 1


class Small(NamedTuple):
    """A photograph at a small size.

    Attributes:
        picture: RGB, upright; both sides are at least as asked, or those of the photograph.
        size: width and height of the photograph held upright, in pixels. turned: whether a tag in the file turns it.
        kind: its format, as Pillow calls it.
    """

    picture: Image.Image
    size: tuple[int, int]
    turned: bool
    kind: str


def small_image(path: Path, side: int) -> Small:
    """The photograph at `path`, as `open_image` gives it, at a smaller size where the format makes that cheap.

    All of the file is read, so that damage is found here as it is there.

    Args:
        side: pixels that both sides have at least, where the photograph has as many.

    Raises:
        DataError: see `open_image`.
    """
    size, turned, kind = (0, 0), False, ""
    try:
        with opened(path) as image:
            width, height = image.size
            orientation = image.getexif().get(ORIENTATION, UPRIGHT)
            kind = image.format or ""
            size = (height, width) if orientation in ROTATED else (width, height)
            turned = orientation != UPRIGHT and orientation in range(2, 9)
            if kind in REDUCED and image.mode in PLAIN and width * height <= max_megapixels() * 1e6:
                return Small(_reduced(image, side), size, turned, kind)
    except (FileNotFoundError, Refusal, *DAMAGE):
        pass  # said below, in the same words as everywhere
    with decoding():
        picture = open_image(path)
        picture.load()
    return Small(picture, size if kind in REDUCED else picture.size, turned, kind)


def _reduced(image: Image.Image, side: int) -> Image.Image:
    with without_pillow_limit, decoding():
        whole = prepare(image)
        image.draft(None, (side, side))
        take_room(whole if image.info.get("progressive") else image.size[0] * image.size[1])
        ImageOps.exif_transpose(image, in_place=True)
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")
