"""The variants of an image that an audit asks about, named as in "Noise or Signal" (Xiao et al. 2021)."""

from __future__ import annotations

from typing import NamedTuple

ORIGINAL, ONLY_FG, NO_FG = "original", "only_fg", "no_fg"
ONLY_BG_B, ONLY_BG_T, ONLY_BG_I = "only_bg_b", "only_bg_t", "only_bg_i"
SAME, RAND, NEXT, OTHER = "mixed_same", "mixed_rand", "mixed_next", "mixed_other"


class Variant(NamedTuple):
    """One way to change an image: its name, a few words for tables, and what is done."""

    name: str
    title: str
    what: str


VARIANTS = (
    Variant(ORIGINAL, "original", "the image as it is"),
    Variant(ONLY_FG, "only the object", "the background is blank"),
    Variant(SAME, "background of the same class", "the object before another image of its class"),
    Variant(RAND, "background of a random class", "the object before an image of any class"),
    Variant(NEXT, "background of the next class", "the object before an image of the next class"),
    Variant(OTHER, "background of other data", "the object before an image of other data"),
    Variant(ONLY_BG_B, "box blank", "the box around the object is blank"),
    Variant(ONLY_BG_T, "box tiled", "the box around the object is tiled with the rest of the image"),
    Variant(ONLY_BG_I, "object filled in", "the object is filled in from its surroundings"),
    Variant(NO_FG, "object blank", "the object is blank, and its outline can be seen"),
)
NAMES = tuple(each.name for each in VARIANTS)
MIXED = (SAME, RAND, NEXT)  # with the images that are asked about, and others of their data
LENT = (*MIXED, OTHER)
