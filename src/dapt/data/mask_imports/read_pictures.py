"""Reading the mask pictures of an import: all that is foreground in their format, or some categories alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from PIL import ImageOps

from dapt.config import MaskFormat
from dapt.data.load.images import ORIENTATION
from dapt.data.load.picture_files import DAMAGE, Refusal, decoded
from dapt.data.mask_imports.base import Wanted
from dapt.data.mask_imports.match_pictures import Job
from dapt.data.masks.coverage import is_plausible
from dapt.data.masks.mask_collections import MaskCounts
from dapt.data.masks.mask_files import fit_mask, values_and_turn
from dapt.data.masks.mask_finder import COLLECTIONS
from dapt.data.masks.photo_mask import Raw, mask_of_photo
from dapt.data.masks.rules import MaskRules
from dapt.errors import DataError

SAMPLE = 24


def read_pictures(job: Job) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The union of a photograph's mask pictures, bool ``[H, W]`` of the photograph held upright.

    Raises:
        DataError: one cannot be read, does not fit its format, or has another shape than the photograph.
    """
    wanted = job.wanted
    if wanted is None:
        found = mask_of_photo(job.files, job.item.path, job.rules)
    else:
        found = mask_of_photo(job.files, job.item.path, job.rules, lambda file, rules: _only(file, rules, wanted))
    return fit_mask(found.mask, found.upright, job.files[0], job.item.path).numpy()


def check_sample(jobs: Sequence[Job]) -> None:
    """Refuse masks that are nearly all empty or full, as they are when they are read in a wrong format.

    Raises:
        DataError: naming the formats that fit better.
    """
    sample = jobs[:: max(1, len(jobs) // SAMPLE)][:SAMPLE]
    counts = MaskCounts()
    for job in sample:
        try:
            found = mask_of_photo(job.files, job.item.path, job.rules)
        except DataError:  # told when it is to be written
            continue
        share = float(found.mask.float().mean())
        counts.read += 1
        counts.empty += share <= 0
        counts.full += share >= 1
        counts.misread += found.misread and 0 < share < 1
    if not counts.wrong_format:
        return
    kind = jobs[0].rules.kind
    others = [other for other in get_args(MaskFormat) if other != kind and other not in COLLECTIONS]
    better = [other for other in others if _fits(sample, other)]
    better = [other for other in better if other != "colours" or better == ["colours"]]
    told = f"of {counts.read} that were looked at {counts.empty} are empty and {counts.full} are full"
    if counts.misread:
        told += f", and {counts.misread} with mostly other values than the format has"
    elif counts.read == 1:
        told = f"the only one is {'empty' if counts.empty else 'full'}"
    raise DataError(
        f"The masks are of no use when they are read as '{kind}': {told}.",
        todo=f"They look like objects with --mask-format {' or '.join(better)}." if better else "Look at the masks.",
    )


def _fits(sample: Sequence[Job], kind: MaskFormat) -> bool:
    shares = []
    for job in sample:
        try:
            found = mask_of_photo(job.files, job.item.path, job.rules.read_as(kind))
        except DataError:
            return False
        shares.append(0.0 if found.misread else float(found.mask.float().mean()))
    return is_plausible(shares)


def _only(file: Path, rules: MaskRules, wanted: Wanted) -> Raw:
    """The pixels of the wanted categories in one mask."""
    if rules.kind != "colours":
        values, turned = values_and_turn(file, rules.kind, rules.background)
        return Raw(torch.from_numpy(np.isin(values, list(wanted.numbers))), False, turned)
    try:
        with decoded(file) as image:
            turned = image.getexif().get(ORIENTATION, 1) in range(2, 9)
            ImageOps.exif_transpose(image, in_place=True)
            pixels = np.asarray(image.convert("RGB")).astype(np.int32)
    except (*DAMAGE, Refusal) as error:
        raise DataError(f"The mask {file} cannot be read ({error}).", todo="Export the data again.") from None
    colours = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    return Raw(torch.from_numpy(np.isin(colours, list(wanted.colours))), False, turned)
