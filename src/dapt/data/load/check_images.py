"""Finding the damaged images before training starts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dapt.console import progress, warn
from dapt.data.items import Item
from dapt.data.load.colours import is_plain, note_sequence
from dapt.data.load.depth import deep_colour
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import RefusedImageError, open_image
from dapt.data.load.notes import say_notes, several
from dapt.data.load.picture_files import DAMAGE, Refusal, opened, prepare
from dapt.data.load.pixels import decoding
from dapt.errors import DataError

TAIL = 8192  # bytes at the end of a file in which its end marker is looked for
ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}


def looks_whole(path: Path) -> bool:
    """Whether a JPEG or PNG has a readable header and its end marker, without decoding it.

    False says that only decoding can tell: another format, no end marker in the last `TAIL` bytes, no image, or one
    of which there may be something to say or to refuse: transparent parts, more than 8 bits per channel.
    """
    try:
        with opened(path) as image:
            end = ENDS.get(image.format or "")
            file: Any = getattr(image, "fp", None)
            if end is None or file is None or not is_plain(image) or deep_colour(image):
                return False
            behind_header = file.tell()  # a JPEG keeps its preview, which has an end of its own, in the header
            file.seek(max(behind_header, file.seek(0, os.SEEK_END) - TAIL))  # asks the open file, not the disk
            whole = end in file.read()
            prepare(image, path)
            note_sequence(image, path)
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
    tell_left_out(bad)
    say_notes()
    good = tuple(item for item, error in zip(items, problems, strict=True) if error is None)
    return Checked(good, tuple(error.what for error in bad))


def tell_left_out(bad: Sequence[DataError]) -> None:
    """Warn of images that are left out, with their number and the first; nothing where there are none."""
    for refused, (one, many) in (
        (False, ("damaged or missing image is", "damaged or missing images are")),
        (True, ("image that is too large or not read is", "images that are too large or not read are")),
    ):
        found = [error.what for error in bad if _refused(error) == refused]
        if found:
            warn(f"{several(found, one, many)} left out; the first: {found[0]}")


def _refused(error: DataError) -> bool:
    return isinstance(error, RefusedImageError)
