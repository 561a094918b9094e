"""Reading photographs, and finding the damaged ones before training starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dapt.data.load.colours import deep_images, is_plain, note_sequence, to_rgb
from dapt.data.load.depth import colour_bits, deep_colour, lower_half, of_halves
from dapt.data.load.notes import note
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded, opened, prepare
from dapt.data.load.pixels import decoding, take_room, without_pillow_limit
from dapt.data.load.reading import Reading, current
from dapt.errors import DataError
from dapt.limits import LARGE_PIXELS

WHOLE = 16  # bits per channel of a colour picture that uses all of them
ORIENTATION, ROTATED = 0x0112, range(5, 9)  # EXIF: those that exchange width and height


class RefusedImageError(DataError):
    """An image that is not read and is not damaged: too large, another kind of file, or no file."""


def open_image(path: Path, reading: Reading | None = None, side: int | None = None) -> Image.Image:
    """The photograph as RGB, turned upright; a JPEG above the limit of pixels at less than its size.

    Args:
        reading: how its colours are understood; None: as the process is set, see `dapt.data.load.reading`.
        side: pixels that are needed along each side: a JPEG may have less than its size then; None: all.

    Raises:
        RefusedImageError: too many pixels, no regular file, another kind of file, or values without a known range.
        DataError: missing, truncated or not an image.
    """
    how = current(reading)
    try:
        with decoded(path, draft=True, side=side) as image:
            note_sequence(image, path)
            deep = deep_colour(image)
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
            if deep:
                image = _deepened(image, path, how)
            return to_rgb(image, how, path)
    except FileNotFoundError:
        raise DataError(f"There is no image {path}.", todo="Restore the file or remove it from the data.") from None
    except Refusal as refusal:
        raise RefusedImageError(f"{path} {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(
            f"{path} is damaged or not an image ({error}).",
            todo="Replace or remove it, or pass --skip-bad to go on without such files.",
        ) from None


def _deepened(high: Image.Image, path: Path, how: Reading) -> Image.Image:
    """A colour picture of 16 bits per channel, decoded and upright: by its lower bits too, where it uses few."""
    if (bits := colour_bits(high, how.bits)) != WHOLE:
        with opened(path) as again:
            low = lower_half(again)
            ImageOps.exif_transpose(low, in_place=True)
            low.load()
        found, told = of_halves(high, low, bits or None)
        note(deep_images, path, told)
        return found
    note(deep_images, path, f"{WHOLE}-bit")
    return high


def picture_tensor(image: Image.Image, reading: Reading | None = None) -> Tensor:
    """A picture that the caller has opened, as `image_tensor` gives the file; it is left as it is.

    Args:
        reading: as for `open_image`.

    Raises:
        RefusedImageError: too many pixels, or values without a known range. DataError: it cannot be decoded.
    """
    if deep_colour(image) and (file := getattr(image, "filename", "")):  # not decoded yet: its lower bits are needed
        return image_tensor(Path(file), reading)
    try:
        with without_pillow_limit, decoding():
            take_room(prepare(image))
            upright = ImageOps.exif_transpose(image)
            upright.format = image.format  # a copy has none
            name = getattr(image, "filename", "") or "a picture"
            return torch.from_numpy(_pixels(to_rgb(upright, current(reading), name))).permute(2, 0, 1)
    except Refusal as refusal:
        raise RefusedImageError(f"The picture {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(f"The picture is damaged ({error}).") from None


def image_tensor(path: Path, reading: Reading | None = None, side: int | None = None) -> Tensor:
    """The photograph as uint8 ``[3, H, W]``.

    Its pixels lie together in memory (channels last), as decoded: that is resized in half the time.

    Args:
        reading, side: as for `open_image`.

    Raises:
        DataError: see `open_image`.
    """
    with decoding():
        return torch.from_numpy(_pixels(open_image(path, reading, side))).permute(2, 0, 1)


def _pixels(image: Image.Image) -> np.ndarray[Any, Any]:
    """RGB as uint8 ``[H, W, 3]``; a large picture in pieces, for whole it would take three times its memory."""
    width, height = image.size
    if width * height <= LARGE_PIXELS:
        return np.array(image)
    pixels = np.empty((height, width, 3), np.uint8)
    rows = max(1, LARGE_PIXELS // width)
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels


def image_size(path: Path) -> tuple[int, int]:
    """Height and width of a photograph held upright, without decoding it.

    Raises:
        DataError: missing, or not an image.
    """
    (height, width), orientation = photo_shape(path)
    return (width, height) if orientation in ROTATED else (height, width)


def photo_shape(path: Path) -> tuple[tuple[int, int], int]:
    """Height and width of a photograph as it is stored, and its orientation (EXIF, 1 where it has none).

    Raises:
        DataError: missing, or not an image.
    """
    try:
        with opened(path) as image:
            width, height = image.size
            orientation: Any = image.getexif().get(ORIENTATION)
    except Refusal as refusal:
        raise RefusedImageError(f"{path} {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(f"{path} cannot be read ({error}).") from None
    return (height, width), orientation if orientation in range(1, 9) else 1


def reading_mark(path: Path) -> str:
    """What an image's checksum is followed by, so that a run knows by which rules it was read.

    Empty for images with 8 bits per channel and no transparency, which have always been read as they are. It changes
    whenever those rules do.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\xff\xd8":  # JPEG
                return ""
        with opened(path) as image:
            return "" if is_plain(image) and not deep_colour(image) else "-2"
    except (Refusal, *DAMAGE):
        return ""
