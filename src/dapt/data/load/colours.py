"""Any picture that Pillow has decoded as RGB: transparent parts on a matte, deep pictures scaled, Lab as sRGB.

A picture without transparent pixels and with 8 bits per channel has the values that Pillow gives it, bit for bit.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from PIL import Image

from dapt.colour import colour_of
from dapt.data.load.depth import DEEP, eight_bits
from dapt.data.load.notes import Found, note, several
from dapt.data.load.reading import Reading
from dapt.data.load.refusal import SAVE_AS, Refusal

WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")
KEY = "transparency"  # in `info`: colour, palette entries or grey that stand for transparent
OPAQUE = 255
SEQUENCES = ("GIF", "PNG", "WEBP", "TIFF", "AVIF", "HEIF")  # an MPO holds a second view of the same photograph


def may_be_transparent(image: Image.Image) -> bool:
    """Whether a picture has an alpha channel, or a colour that stands for transparent."""
    return image.mode in WITH_ALPHA or KEY in image.info


def is_plain(image: Image.Image) -> bool:
    """Whether an opened picture is read as it is, by its header: nothing to composite and nothing to scale."""
    return image.mode not in (*DEEP, "LAB") and not may_be_transparent(image)


def to_rgb(image: Image.Image, reading: Reading, name: object = "a picture") -> Image.Image:
    """A decoded picture as RGB. It is the same object where it is RGB already.

    Args:
        name: of the picture, for what is noted of it, see `dapt.data.load.notes`.

    Raises:
        Refusal: it is deep, and its range is not known; or in colours that this Pillow cannot convert.
    """
    if image.mode in DEEP:
        return _deep(image, reading, name)
    if may_be_transparent(image):
        return on_matte(image, reading.matte, name)
    if image.mode == "RGB":
        return image
    return _from_lab(image) if image.mode == "LAB" else image.convert("RGB")


def _deep(image: Image.Image, reading: Reading, name: object) -> Image.Image:
    values, told = eight_bits(image, reading.bits)
    note(deep_images, name, told)
    grey = Image.fromarray(values)
    key = image.info.get(KEY)
    if not isinstance(key, int):
        return grey.convert("RGB")
    grey.putalpha(Image.fromarray(np.where(np.asarray(image) == key, 0, OPAQUE).astype(np.uint8)))
    return on_matte(grey, reading.matte, name)


def on_matte(image: Image.Image, matte: str, name: object) -> Image.Image:
    """A picture that may be transparent, as RGB, before one colour: what lies under those pixels is unseen."""
    if image.mode in ("RGBa", "La"):
        image = image.convert(image.mode.replace("a", "A"))
    whole = image if image.mode == "RGBA" else image.convert("RGBA")
    if whole.getchannel("A").getextrema() == (OPAQUE, OPAQUE):
        return whole.convert("RGB")
    note(transparent_images, name, matte)
    return Image.alpha_composite(Image.new("RGBA", whole.size, (*colour_of(matte), OPAQUE)), whole).convert("RGB")


def _from_lab(image: Image.Image) -> Image.Image:
    try:
        from PIL import ImageCms

        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        found = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    except ImportError:
        found = None
    if found is None:
        raise Refusal("has Lab colours, which this Pillow cannot convert", SAVE_AS)
    return found


def note_sequence(image: Image.Image, name: object) -> None:
    """Note an opened file that holds several pictures, of which the first is read."""
    if image.format in SEQUENCES and getattr(image, "is_animated", False):
        note(sequences, name)


def deep_images(found: Found) -> str:
    """What is said of images with more than 8 bits per channel."""
    kinds = ", ".join(f"{number} as {kind}" for kind, number in sorted(Counter(how for _, how in found).items()))
    return (
        f"{several(found, 'image holds', 'images hold')} more than 8 bits per channel, read by the range of values: "
        f"{kinds}; the first: {found[0][0]}. If they use other bits, or all should use the same, state them (--bits)."
    )


def transparent_images(found: Found) -> str:
    """What is said of images with transparent parts."""
    mattes = " and ".join(sorted({matte for _, matte in found}))
    return (
        f"{several(found, 'image has', 'images have')} transparent parts, shown on {mattes} (--matte); "
        f"the first: {found[0][0]}"
    )


def sequences(found: Found) -> str:
    """What is said of animations and files with several pages."""
    return (
        f"{several(found, 'file holds', 'files hold')} several pictures (an animation, or pages), of which the first "
        f"is read; the first file: {found[0][0]}"
    )
