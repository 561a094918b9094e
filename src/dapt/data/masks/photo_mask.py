"""The mask of one photograph: one file or several, held as the photograph is.

Phones and cameras store pictures as the sensor sees them, with a note (EXIF) how to turn them. Photographs are turned
by it when they are read. Annotation tools differ: some draw on the turned photograph, some on the stored pixels. A mask
with a note of its own is turned by that. Of a mask without one the size tells: if it has the shape of the stored pixels
and not of the turned ones, it is turned as its photograph is. For square photographs, and for turns that exchange no
sides, the size cannot tell: such masks are taken as they are, and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from dapt.data.load.images import ROTATED, photo_shape
from dapt.data.load.notes import Found, note, several
from dapt.data.masks.mask_files import fit_mask, foreground_of, misread, same_shape, values_and_turn
from dapt.data.masks.rules import MaskRules

Size = tuple[int, int]  # height and width
MADE_HERE = "masks.json"  # beside masks that `dapt masks` has written, which are upright


class Raw(NamedTuple):
    """The foreground in one file, bool ``[H, W]``; whether it speaks against the format, and turns itself."""

    mask: Tensor
    misread: bool
    turned: bool


@dataclass(frozen=True)
class PhotoMask:
    """The mask of a photograph, upright, in its own resolution.

    Attributes:
        mask: bool ``[H, W]``. upright: height and width of the photograph held upright.
        misread: whether its values speak against the format, see `dapt.data.masks.mask_files.misread`.
    """

    mask: Tensor
    upright: Size
    misread: bool

    @property
    def size(self) -> Size:
        """Height and width of the mask."""
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def fits(self) -> bool:
        """Whether mask and photograph have the same shape."""
        return same_shape(self.size, self.upright)


def mask_of_photo(
    files: Sequence[Path], photo: Path, rules: MaskRules, read: Callable[[Path, MaskRules], Raw] | None = None
) -> PhotoMask:
    """Read the mask of a photograph, of which only the header is read. Of several files the union counts.

    Args:
        read: reads one file; None: by the format alone.

    Raises:
        DataError: a file is missing, unreadable or does not fit the format, or several do not fit each other.
    """
    raws = [(read or read_raw)(file, rules) for file in files]
    stored, orientation = photo_shape(photo)
    upright = stored[::-1] if orientation in ROTATED else stored
    masks = [_as_photo(raw, file, photo, stored, orientation) for raw, file in zip(raws, files, strict=True)]
    whole = masks[0]
    for mask, file in zip(masks[1:], files[1:], strict=True):
        whole = whole | fit_mask(mask, (whole.shape[0], whole.shape[1]), file, files[0])
    against = bool(whole.any()) and any(raw.misread for raw in raws)
    return PhotoMask(whole, upright, against)


def read_raw(file: Path, rules: MaskRules) -> Raw:
    """The foreground in one file, as its format says.

    Raises:
        DataError: it is missing, unreadable or does not fit the format.
    """
    values, turned = values_and_turn(file, rules.kind, rules.background)
    mask = foreground_of(values, rules.kind)
    return Raw(mask, bool(mask.any()) and misread(values, mask, rules.kind), turned)


def _as_photo(raw: Raw, file: Path, photo: Path, stored: Size, orientation: int) -> Tensor:
    if orientation not in range(2, 9) or raw.turned:
        return raw.mask
    drawn_on_stored = is_of_stored((raw.mask.shape[0], raw.mask.shape[1]), stored, orientation)
    if drawn_on_stored is None:
        if not (file.parent / MADE_HERE).is_file() and not (file.parent.parent / MADE_HERE).is_file():
            note(undecided_masks, photo)
        return raw.mask
    if not drawn_on_stored:
        return raw.mask
    note(turned_masks, photo)
    return turn(raw.mask, orientation)


def is_of_stored(mask: Size, stored: Size, orientation: int) -> bool | None:
    """Whether a mask was drawn on the pixels as they are stored; None: its size does not tell.

    Args:
        mask, stored: height and width. orientation: of the photograph, 2 to 8.
    """
    upright = stored[::-1] if orientation in ROTATED else stored
    if (mask == stored) != (mask == upright):
        return mask == stored
    as_stored, as_upright = same_shape(mask, stored), same_shape(mask, upright)
    return None if as_stored and as_upright else as_stored


def turn(mask: Tensor, orientation: int) -> Tensor:
    """A mask ``[H, W]`` of the stored pixels, turned upright by the photograph's orientation (EXIF, 1 to 8)."""
    if orientation in ROTATED:
        mask = mask.t()
    flipped = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation, ())
    return torch.flip(mask, flipped).contiguous()


def turned_masks(found: Found) -> str:
    """What is said of masks that were drawn on the stored pixels."""
    return (
        f"{several(found, 'mask was', 'masks were')} drawn on photos as they are stored, before their EXIF "
        f"orientation, which the size shows, and {'is' if len(found) == 1 else 'are'} turned with them; the first: "
        f"{found[0][0]}"
    )


def undecided_masks(found: Found) -> str:
    """What is said of masks whose size does not tell on which pixels they were drawn."""
    return (
        f"{several(found, 'photo is', 'photos are')} turned by EXIF orientation and the size of the mask does not tell "
        "whether it was drawn before or after that (square, or turned upside down): the masks are taken for upright. "
        f"Look at one (the first: {found[0][0]}); if they are not, save the photos turned, without the tag."
    )
