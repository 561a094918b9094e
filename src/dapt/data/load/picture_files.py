"""Opening a picture file: only kinds that are photographs or masks, only so many pixels."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from dapt.data.load.draft import decode_less
from dapt.data.load.other_kinds import refusal_of, refuse_raw
from dapt.data.load.pixels import decoding, max_megapixels, note_reduced, take_room, without_pillow_limit
from dapt.data.load.refusal import SAVE_AS
from dapt.data.load.refusal import Refusal as Refusal  # of whoever opens files
from dapt.limits import DRAFT_TIMES
from dapt.regular import IrregularError, open_regular

# Pillow knows forty more kinds, among them programs (EPS goes to Ghostscript) and layered documents.
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000", "AVIF", "HEIF")
# What a broken file makes Pillow's decoders raise.
DAMAGE = (OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError, struct.error)
SCALES = (2, 4, 8)  # at which a JPEG can be decoded
TILES = (322, 323)  # TIFF: width and height of a tile


def formats() -> tuple[str, ...]:
    """Those of `FORMATS` that this Pillow can read; HEIF where `pillow-heif` is installed (``dapt[heic]``)."""
    _with_heif()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@lru_cache(maxsize=1)
def _with_heif() -> None:
    """Load Pillow's plugins, and that for HEIF if it is there."""
    Image.init()
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()


@contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The picture at `path`, of which only the header is read; the file is closed afterwards.

    Raises:
        FileNotFoundError: there is none. Refusal: no regular file, or another kind of file.
        DAMAGE: it cannot be read.
    """
    try:
        file = open_regular(path)
    except IrregularError as error:
        raise Refusal(f"is not read: {error.strerror}", "Restore the file or remove it from the data.") from None
    with file, header(file) as image:
        yield image


def comment_of(path: Path) -> bytes | None:
    """The comment in a JPEG; None where there is none, or no picture."""
    try:
        with opened(path) as picture:
            found = picture.info.get("comment")
    except (*DAMAGE, Refusal):
        return None
    return found if isinstance(found, bytes) else None


def header(file: BinaryIO) -> Image.Image:
    """As `opened`, of an open file."""
    with without_pillow_limit:
        try:
            image = Image.open(file, formats=formats())
        except UnidentifiedImageError:
            refusal = refusal_of(file, formats())
        else:
            refuse_raw(image)
            return image
    if refusal is not None:
        raise refusal
    file.seek(0)
    raise ValueError("it has the form of no picture" if file.read(1) else "it is empty")


@contextmanager
def decoded(path: Path, *, draft: bool = False, side: int | None = None) -> Iterator[Image.Image]:
    """The picture at `path`, to be decoded inside, where there is room for its pixels; see `dapt.data.load.pixels`.

    Args:
        draft: JPEGs above the limit are decoded at a half, a quarter or an eighth of their size. side: as `prepare`.

    Raises:
        Refusal: also, it has too many pixels, or there is not enough memory. Others: as `opened`.
    """
    try:
        with without_pillow_limit, decoding(), opened(path) as image:
            take_room(prepare(image, path if draft else None, side))
            yield image
    except MemoryError:
        raise Refusal("needs more memory than there is", SAVE_AS) from None


def prepare(image: Image.Image, draft: Path | None = None, side: int | None = None) -> int:
    """How many pixels of an opened picture must be kept in memory.

    Args:
        draft: path of the picture, if a JPEG that is too large may be decoded reduced, for which it is set then.
        side: pixels that are needed along each side, for which JPEGs are set; None: all.

    Raises:
        Refusal: it is too large.
    """
    whole = image.size
    most = max_megapixels() * 1e6
    pixels = max(whole[0] * whole[1], _largest_tile(image))
    if pixels <= most:
        return pixels if side is None else decode_less(image, side)
    jpeg = image.format in ("JPEG", "MPO")
    if draft is not None and jpeg and pixels <= DRAFT_TIMES * most:
        for scale in SCALES:
            image.draft(None, (max(1, whole[0] // scale), max(1, whole[1] // scale)))
            if image.size != whole and image.size[0] * image.size[1] <= most:
                note_reduced(draft, whole, scale)
                # a progressive file is kept whole while it is decoded
                return pixels if image.info.get("progressive") else image.size[0] * image.size[1]
    needed = math.ceil(pixels / 1e6 / (DRAFT_TIMES if draft is not None and jpeg else 1))
    raise Refusal(
        f"has {_millions(pixels)} million pixels ({whole[0]} x {whole[1]}), more than the {max_megapixels():g} million "
        "that are decoded",
        f"If it is meant to be so large and there is memory for it, pass --max-pixels {needed} (setting max_pixels); "
        "else make it smaller or remove it, or pass --skip-bad to go on without such files.",
    )


def _largest_tile(image: Image.Image) -> int:
    """Pixels of a TIFF's tiles, which may be larger than the picture."""
    tags = getattr(image, "tag_v2", None) or {}
    width, height = (tags.get(tag, 0) for tag in TILES)
    return int(width) * int(height) if isinstance(width, int) and isinstance(height, int) else 0


def _millions(pixels: int) -> str:
    return f"{pixels / 1e6:,.0f}" if pixels >= 10e6 else f"{pixels / 1e6:.3g}"
