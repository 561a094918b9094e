"""Images of more than 8 bits per channel: scaled by the range that they use, or refused by what they hold.

The rule, for each image by itself: whole numbers are scaled by the smallest of 8, 10, 12, 14 and 16 bits that holds
the largest of them, because cameras and scanners store 10 to 14 bits in 16. Fractions up to 1 are a share of white,
those up to 255 are what 8 bits would hold. All else (negative numbers, more than 16 bits, fractions up to 20, say)
has no range that could be told from the file, and is refused. Two images of one camera are read differently where one
of them is so dark that it needs fewer bits: whoever knows the bits states them (`Reading.bits`), and then they hold
for all.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from PIL import Image

from dapt.data.load.refusal import SAVE_AS, Refusal
from dapt.limits import LARGE_PIXELS

DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")  # Pillow would clip these at 255
BITS = (8, 10, 12, 14, 16)
SCALED = ("JPEG2000", "PPM")  # say their range, by which Pillow has scaled them to 16 bits
ALMOST = 1e-3  # by which resampled fractions may pass 0 and 1
DARKEST = 64.0  # fractions above 1 whose largest is lower may mean anything
_LOW_BYTES = {";16B": ";16L", ";16L": ";16B", ";16N": ";16B" if sys.byteorder == "little" else ";16L"}

Values = np.ndarray[Any, Any]


def eight_bits(image: Image.Image, bits: int | None = None) -> tuple[Values, str]:
    """A decoded image of one of the modes `DEEP` as uint8 ``[H, W]``, and how it was read (``12-bit``).

    Args:
        bits: that it uses; None: told by its largest value.

    Raises:
        Refusal: it holds what has no known range.
    """
    values = np.asarray(image)
    if image.mode == "F":
        return _of_fractions(values, bits)
    fixed = 16 if image.format in SCALED else bits
    return _of_whole(values, fixed)


def _of_whole(values: Values, bits: int | None) -> tuple[Values, str]:
    low, high = (int(values.min()), int(values.max())) if values.size else (0, 0)
    if low < 0 or high > 65535:
        raise _no_range(f"whole numbers from {low} to {high}")
    used = bits or _bits_for(high)
    if high >= 2**used:
        raise Refusal(
            f"holds whole numbers up to {high}, more than {used} bits can say", "State more bits, or leave --bits out."
        )
    return scaled(values, used), f"{used}-bit"


def _bits_for(high: int) -> int:
    return next(bits for bits in BITS if high < 2**bits)


def scaled(values: Values, bits: int) -> Values:
    """Whole numbers below ``2 ** bits`` as uint8, rounded down; in pieces, for looking up takes 8 bytes each."""
    table = (np.arange(2**bits) * 255 // (2**bits - 1)).astype(np.uint8)
    found = np.empty(values.shape, np.uint8)
    rows = max(1, LARGE_PIXELS // max(1, values[0].size)) if len(values) else 1
    for top in range(0, len(values), rows):
        found[top : top + rows] = table[values[top : top + rows]]
    return found


def _of_fractions(values: Values, bits: int | None) -> tuple[Values, str]:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Refusal("holds values that are not finite", SAVE_AS)
    if low < -ALMOST:
        raise _no_range(f"fractions from {low:g} to {high:g}")
    if high <= 1 + ALMOST:
        top, told = 1.0, "fractions of 0 to 1"
    elif bits is not None and high < 2**bits:
        top, told = float(2**bits - 1), f"fractions of 0 to {2**bits - 1}"
    elif DARKEST <= high <= 255 + ALMOST:
        top, told = 255.0, "fractions of 0 to 255"
    else:
        raise _no_range(f"fractions from {low:g} to {high:g}")
    return np.rint(values.clip(0, top) * np.float32(255 / top)).astype(np.uint8), told


def _no_range(what: str) -> Refusal:
    return Refusal(
        f"holds {what}, whose black and white are not known",
        "Save it with 8 or 16 bits per channel, or remove it, or pass --skip-bad to go on without such files.",
    )


def deep_colour(image: Image.Image) -> bool:
    """Whether an opened colour picture has 16 bits per channel, of which Pillow decodes the upper 8 alone."""
    return image.mode in ("RGB", "RGBA", "LA") and _raw_mode(image)[-4:] in _LOW_BYTES


def colour_bits(high: Image.Image, bits: int | None) -> int:
    """How many bits a colour picture uses, of whose 16 the upper 8 are decoded.

    Returns:
        a number of `BITS`, or 0: only the lower 8 tell.
    """
    if bits is not None:
        return bits
    colours = high.convert("RGB") if high.mode == "RGBA" else high.getchannel(0) if high.mode == "LA" else high
    most = max(top for _, top in _extrema(colours))
    return 16 if most >= 64 else 0


def _extrema(image: Image.Image) -> list[tuple[int, int]]:
    return [channel.getextrema() for channel in image.split()]  # type: ignore[misc]


def lower_half(image: Image.Image) -> Image.Image:
    """Set a picture of `deep_colour` that was opened and not decoded to decode the lower 8 bits of each channel.

    Raises:
        Refusal: Pillow cannot.
    """
    raw = _raw_mode(image)
    if image.mode == "LA":
        raise Refusal("has 16 bits per channel and uses few of them", SAVE_AS)
    swapped = raw[:-4] + _LOW_BYTES[raw[-4:]]
    opened: Any = image
    opened.tile = [_with_args(tile, swapped) for tile in opened.tile]
    return image


def _with_args(tile: Any, raw: str) -> Any:
    """A piece of the file with another way to unpack its pixels; Pillow before 11.1 has plain tuples."""
    args = raw if isinstance(tile[3], str) else (raw, *tile[3][1:])
    return tile._replace(args=args) if hasattr(tile, "_replace") else (*tile[:3], args)


def of_halves(high: Image.Image, low: Image.Image, bits: int | None) -> tuple[Image.Image, str]:
    """The picture of 8 bits per channel whose upper and lower 8 of 16 bits these are, and how it was read.

    Raises:
        Refusal: it has more than the `bits` that are stated.
    """
    values = (np.asarray(high).astype(np.uint16) << 8) | np.asarray(low)
    colours, told = _of_whole(values[..., :3], bits)
    if values.shape[2] == 4:
        alpha, _ = _of_whole(values[..., 3:], None)
        colours = np.concatenate([colours, alpha], axis=2)
    return Image.fromarray(colours), told


def _raw_mode(image: Image.Image) -> str:
    """How the pixels lie in the file, in Pillow's words; empty where it is decoded already, or by another library."""
    tiles = getattr(image, "tile", None)
    args = tiles[0][3] if tiles else ""
    raw = args[0] if isinstance(args, tuple) and args else args
    return raw if isinstance(raw, str) else ""
