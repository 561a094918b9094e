"""JPEGs decoded at a half, a quarter or an eighth of their size where a model sees test images much smaller.

A decoder that leaves out the finest frequencies takes a fraction of the time, and what it leaves out would be averaged
away: at least twice the pixels that the model sees are decoded along each side. Pixels differ a little from those of
the whole picture, so it is off unless asked for. Like the limit of pixels (`dapt.data.load.pixels`) it is a setting of
the process, and an option of the command line goes before that of a run.
"""

from __future__ import annotations

from PIL import Image

GAP = 2  # pixels decoded for one that is seen, along each side, at least
REDUCED = ("JPEG", "MPO")  # kinds that can be decoded at less than their size
PLAIN = ("RGB", "L")  # modes about whose colours there is nothing to decide

_option: bool | None = None
_setting = False


def use_option(on: bool | None) -> None:
    """A command begins: what ``--draft`` or ``--no-draft`` says; None: neither was given."""
    global _option, _setting
    _option, _setting = on, False


def use_setting(on: bool) -> None:
    """What the configuration of a run says."""
    global _setting
    _setting = on


def drafting() -> bool:
    """Whether test images are decoded reduced."""
    return _setting if _option is None else _option


def draft_side(size: tuple[int, int]) -> int | None:
    """Pixels along each side that test images need at least for a model that sees `size`; None: all that they have."""
    return GAP * max(size) if drafting() else None


def decode_less(image: Image.Image, side: int) -> int:
    """Have an opened picture decoded with `side` pixels along each side at least, if its kind makes that cheap.

    Returns:
        how many of its pixels must be kept in memory.
    """
    whole = image.size[0] * image.size[1]
    if image.format in REDUCED and image.mode in PLAIN:
        image.draft(None, (side, side))
    # a progressive file is kept whole while it is decoded
    return whole if image.info.get("progressive") else image.size[0] * image.size[1]
