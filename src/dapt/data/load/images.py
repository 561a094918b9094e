"""Reading photographs, and finding the damaged ones before training starts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dapt.data.load.picture_files import DAMAGE, Refusal, decoded, opened, prepare
from dapt.data.load.pixels import decoding, take_room, without_pillow_limit
from dapt.errors import DataError
from dapt.limits import LARGE_PIXELS

if TYPE_CHECKING:
    pass

SIXTEEN_BIT = ("I", "I;16", "I;16B")
ORIENTATION, ROTATED = 0x0112, range(5, 9)  # EXIF: those that exchange width and height


class RefusedImageError(DataError):
    """An image that is not read and is not damaged: too large, another kind of file, or no file."""


def open_image(path: Path) -> Image.Image:
    """The photograph as RGB, turned upright; a JPEG above the limit of pixels at less than its size.

    Raises:
        RefusedImageError: too many pixels, no regular file, or another kind of file.
        DataError: missing, truncated or not an image.
    """
    try:
        with decoded(path, draft=True) as image:
            ImageOps.exif_transpose(image, in_place=True)
            image.load()
            return _as_rgb(image)
    except FileNotFoundError:
        raise DataError(f"There is no image {path}.", todo="Restore the file or remove it from the data.") from None
    except Refusal as refusal:
        raise RefusedImageError(f"{path} {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(
            f"{path} is damaged or not an image ({error}).",
            todo="Replace or remove it, or pass --skip-bad to go on without such files.",
        ) from None


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode in SIXTEEN_BIT:  # would be clipped, not scaled
        return Image.fromarray((np.array(image) // 257).clip(0, 255).astype(np.uint8)).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def picture_tensor(image: Image.Image) -> Tensor:
    """A picture that the caller has opened, as `image_tensor` gives the file; it is left as it is.

    Raises:
        RefusedImageError: too many pixels. DataError: it cannot be decoded.
    """
    try:
        with without_pillow_limit, decoding():
            take_room(prepare(image))
            upright = ImageOps.exif_transpose(image)
            return torch.from_numpy(_pixels(_as_rgb(upright))).permute(2, 0, 1)
    except Refusal as refusal:
        raise RefusedImageError(f"The picture {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(f"The picture is damaged ({error}).") from None


def image_tensor(path: Path) -> Tensor:
    """The photograph as uint8 ``[3, H, W]``.

    Its pixels lie together in memory (channels last), as decoded: that is resized in half the time.

    Raises:
        DataError: see `open_image`.
    """
    with decoding():
        return torch.from_numpy(_pixels(open_image(path))).permute(2, 0, 1)


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
    try:
        with opened(path) as image:
            width, height = image.size
            turned = image.getexif().get(ORIENTATION) in ROTATED
    except Refusal as refusal:
        raise RefusedImageError(f"{path} {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(f"{path} cannot be read ({error}).") from None
    return (width, height) if turned else (height, width)
