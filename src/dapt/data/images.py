"""Reading photographs, and finding the damaged ones before training starts."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from dapt.console import progress, warn
from dapt.data.items import Item
from dapt.errors import DataError

if TYPE_CHECKING:
    from dapt.data.loader import ImageCache

TAIL = 8192  # bytes at the end of a file in which its end marker is looked for
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}


def open_image(path: Path) -> Image.Image:
    """The photograph as RGB, turned upright.

    Raises:
        DataError: missing, truncated or not an image.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("I", "I;16", "I;16B"):  # 16-bit grey would be clipped, not scaled
                upright = Image.fromarray((np.array(upright).astype(np.int64) // 257).clip(0, 255).astype(np.uint8))
            return upright.convert("RGB")
    except FileNotFoundError:
        raise DataError(f"There is no image {path}.", todo="Restore the file or remove it from the data.") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(
            f"{path} is damaged or not an image ({error}).",
            todo="Replace or remove it, or pass --skip-bad to go on without such files.",
        ) from None


def image_tensor(path: Path) -> Tensor:
    """The photograph as uint8 ``[3, H, W]``.

    Its pixels lie together in memory (channels last), as decoded: that is resized in half the time.

    Raises:
        DataError: missing, truncated or not an image.
    """
    return torch.from_numpy(np.array(open_image(path))).permute(2, 0, 1)


def looks_whole(path: Path) -> bool:
    """Whether a JPEG or PNG has a readable header and its end marker, without decoding it.

    False says that only decoding can tell: another format, no end marker in the last `TAIL` bytes, or no image.
    """
    try:
        with Image.open(path) as image, path.open("rb") as file:
            end = ENDS.get(image.format or "")
            if end is None or image.fp is None:
                return False
            behind_header = image.fp.tell()  # a JPEG keeps its preview, which has an end of its own, in the header
            file.seek(max(behind_header, path.stat().st_size - TAIL))
            return end in file.read()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


@dataclass(frozen=True)
class Checked:
    """The items that can be read, and the complaints about the others."""

    good: tuple[Item, ...]
    bad: tuple[str, ...]


def check_images(items: Sequence[Item], *, skip_bad: bool, label: str, cache: ImageCache | None = None) -> Checked:
    """Find damaged images, in threads.

    With a cache images are decoded into it while it has room. The others are decoded only where `looks_whole`
    cannot vouch for them, or with `skip_bad`: what is not found here cannot be left out later.

    Args:
        skip_bad: leave damaged ones out, with a warning that counts them, instead of raising.
        label: what the progress bar says. cache: where the images will be needed in memory.

    Raises:
        DataError: an image is damaged and `skip_bad` is false.
    """

    def problem(item: Item) -> str | None:
        try:
            if cache is not None and not cache.full:
                cache(item)
            elif skip_bad or not looks_whole(item.path):
                open_image(item.path)
        except DataError as error:
            return error.what
        return None

    with ThreadPoolExecutor() as pool:
        problems = list(progress(pool.map(problem, items), len(items), label, "images"))
    bad = tuple(text for text in problems if text)
    if bad and not skip_bad:
        more = f" {len(bad) - 1} more such files." if len(bad) > 1 else ""
        raise DataError(f"{bad[0]}{more}", todo="Replace or remove it, or pass --skip-bad to go on without such files.")
    if bad:
        warn(f"{len(bad)} damaged or missing images are left out; the first: {bad[0]}")
    good = tuple(item for item, text in zip(items, problems, strict=True) if text is None)
    return Checked(good, bad)
