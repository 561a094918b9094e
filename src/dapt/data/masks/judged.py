"""What can be said of the mask of one image: whether it can be used, and how much of the image it covers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dapt.data.masks.coverage import is_framed
from dapt.data.masks.photo_mask import mask_of_photo
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError

PROBLEMS = ("missing", "empty", "full", "wrong shape", "unreadable")


class Verdict(NamedTuple):
    """What is found for one image.

    Attributes:
        problem: one of `PROBLEMS`, or none. coverage: share of foreground 0..1 of a usable mask.
        resized: the mask has another size than the image, and the same shape. misread: see `mask_files.misread`.
        reason: why it is unreadable, or the sizes that do not go together.
        framed: see `dapt.data.masks.coverage.is_framed`.
    """

    problem: str = ""
    coverage: float | None = None
    resized: bool = False
    misread: bool = False
    reason: str = ""
    framed: bool = False


def judge(files: Sequence[Path], image_path: Path, rules: MaskRules) -> Verdict:
    """Read the mask of an image and compare it with it; of the image only the header is read."""
    try:
        found = mask_of_photo(files, image_path, rules)
    except DataError as error:
        return Verdict("unreadable", reason=error.what)
    if not found.fits:
        mask, image = (f"{width} x {height}" for height, width in (found.size, found.upright))
        return Verdict("wrong shape", reason=f"{files[0].name} is {mask}, its image {image_path.name} {image}.")
    share = float(found.mask.float().mean())
    problem = "empty" if share <= 0 else "full" if share >= 1 else ""
    return Verdict(
        problem,
        None if problem else share,
        resized=found.size != found.upright,
        misread=found.misread and not problem,
        framed=not problem and is_framed(found.mask),
    )
