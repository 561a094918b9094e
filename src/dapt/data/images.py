"""Reading photographs, and finding the damaged ones before training starts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dapt.console import progress, warn
from dapt.data.items import Item
from dapt.data.limits import LARGE_PIXELS
from dapt.data.picture_files import DAMAGE, Refusal, decoded, opened, prepare
from dapt.data.pixels import decoding, say_reduced
from dapt.errors import DataError

if TYPE_CHECKING:
    from dapt.data.loader import ImageCache

TAIL = 8192  # bytes at the end of a file in which its end marker is looked for
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
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
            if image.mode in SIXTEEN_BIT:  # would be clipped, not scaled
                return Image.fromarray((np.array(image) // 257).clip(0, 255).astype(np.uint8)).convert("RGB")
            return image if image.mode == "RGB" else image.convert("RGB")
    except FileNotFoundError:
        raise DataError(f"There is no image {path}.", todo="Restore the file or remove it from the data.") from None
    except Refusal as refusal:
        raise RefusedImageError(f"{path} {refusal.why}.", todo=refusal.todo) from None
    except DAMAGE as error:
        raise DataError(
            f"{path} is damaged or not an image ({error}).",
            todo="Replace or remove it, or pass --skip-bad to go on without such files.",
        ) from None


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


def looks_whole(path: Path) -> bool:
    """Whether a JPEG or PNG has a readable header and its end marker, without decoding it.

    False says that only decoding can tell: another format, no end marker in the last `TAIL` bytes, or no image.
    """
    try:
        with opened(path) as image:
            end = ENDS.get(image.format or "")
            file: Any = getattr(image, "fp", None)
            if end is None or file is None:
                return False
            behind_header = file.tell()  # a JPEG keeps its preview, which has an end of its own, in the header
            file.seek(max(behind_header, path.stat().st_size - TAIL))
            whole = end in file.read()
            prepare(image, path)
            return whole
    except (Refusal, *DAMAGE):
        return False


@dataclass(frozen=True)
class Checked:
    """The items that can be read, and the complaints about the others."""

    good: tuple[Item, ...]
    bad: tuple[str, ...]


def check_images(items: Sequence[Item], *, skip_bad: bool, label: str, cache: ImageCache | None = None) -> Checked:
    """Find images that cannot be read, in threads.

    With a cache images are decoded into it while it has room. The others are decoded only where `looks_whole`
    cannot vouch for them, or with `skip_bad`: what is not found here cannot be left out later.

    Args:
        skip_bad: leave those out, with warnings that count them, instead of raising.
        label: what the progress bar says. cache: where the images will be needed in memory.

    Raises:
        DataError: an image cannot be read and `skip_bad` is false.
    """

    def problem(item: Item) -> DataError | None:
        try:
            if cache is not None and not cache.full:
                cache(item)
            elif skip_bad or not looks_whole(item.path):
                with decoding():  # until the picture is gone
                    open_image(item.path)
        except DataError as error:
            return error
        return None

    with ThreadPoolExecutor() as pool:
        problems = list(progress(pool.map(problem, items), len(items), label, "images"))
    bad = [error for error in problems if error]
    if bad and not skip_bad:
        more = f" {len(bad) - 1} more such files." if len(bad) > 1 else ""
        again = "Replace or remove it, or pass --skip-bad to go on without such files."
        raise type(bad[0])(f"{bad[0].what}{more}", todo=bad[0].todo if _refused(bad[0]) else again)
    for refused, what in ((False, "damaged or missing images"), (True, "images that are too large or not read")):
        found = [error.what for error in bad if _refused(error) == refused]
        if found:
            warn(f"{len(found)} {what} are left out; the first: {found[0]}")
    say_reduced()
    good = tuple(item for item, error in zip(items, problems, strict=True) if error is None)
    return Checked(good, tuple(error.what for error in bad))


def _refused(error: DataError) -> bool:
    return isinstance(error, RefusedImageError)
