"""The variants of an image that an audit asks about, named as in "Noise or Signal" (Xiao et al. 2021)."""

from __future__ import annotations

from typing import NamedTuple

ORIGINAL, ONLY_FG, NO_FG = "original", "only_fg", "no_fg"
ONLY_BG_B, ONLY_BG_T, ONLY_BG_I = "only_bg_b", "only_bg_t", "only_bg_i"
SAME, RAND, NEXT = "mixed_same", "mixed_rand", "mixed_next"


class Variant(NamedTuple):
    """One way to change an image.

    Attributes:
        object, background: whether the image's own object, or a true background, can be seen in it.
    """

    name: str
    title: str
    what: str
    object: bool
    background: bool


VARIANTS = (
    Variant(ORIGINAL, "original", "the image as it is", True, True),
    Variant(ONLY_FG, "only the object", "the background is blank", True, False),
    Variant(SAME, "background of the same class", "the object before another image of its class", True, True),
    Variant(RAND, "background of a random class", "the object before an image of any class", True, True),
    Variant(NEXT, "background of the next class", "the object before an image of the next class", True, True),
    Variant(ONLY_BG_B, "box blank", "the box around the object is blank", False, True),
    Variant(ONLY_BG_T, "box tiled", "the box around the object is tiled with the rest of the image", False, True),
    Variant(ONLY_BG_I, "object filled in", "the object is filled in from its surroundings", False, True),
    Variant(NO_FG, "object blank", "the object is blank, and its outline can be seen", False, True),
)
NAMES = tuple(each.name for each in VARIANTS)
MIXED = (SAME, RAND, NEXT)
PLACE = {name: place for place, name in enumerate(NAMES)}
