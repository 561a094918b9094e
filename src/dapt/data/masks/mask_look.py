"""Whether pictures look like masks, by few of their pixels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dapt.data.load.picture_files import DAMAGE, Refusal, decoded

SAMPLE = 8
SIDE = 64
COLOURS = 24  # of a label map on so few pixels; photographs have hundreds
EXTREME = 24  # grey values as near to black or white as JPEG leaves them
MOST = 0.85
GREY = 4  # between the colours of a grey pixel
HIDDEN = 0.01  # of the pixels are transparent in a cut-out


def look_like_masks(paths: Sequence[Path]) -> bool:
    """Whether most of a sample of picture files are black and white, or have as few colours as label maps.

    Files that cannot be opened say nothing.
    """
    return mask_verdict(paths) is True


def mask_verdict(paths: Sequence[Path], *, cutouts: bool = False) -> bool | None:
    """As `look_like_masks`, but None where no file of the sample can be opened.

    Args:
        cutouts: photographs with an alpha channel that hides something count as masks, too.
    """
    verdicts = verdicts_of(_some(paths), cutouts=cutouts)
    return sum(verdicts) > len(verdicts) * 0.7 if verdicts else None


def verdicts_of(paths: Sequence[Path], *, cutouts: bool = False, most: float = MOST) -> list[bool]:
    """Whether each file that can be opened looks like a mask, in the order given.

    Args:
        cutouts: as of `mask_verdict`. most: share of the pixels that are black or white.
    """
    return [verdict for path in paths if (verdict := _looks_so(path, cutouts, most)) is not None]


def grey_beside_colours(masks: Sequence[Path], photos: Sequence[Path]) -> bool:
    """Whether a sample of pictures is grey, and their photographs are not: soft masks, maps of saliency."""
    grey: list[bool] = []
    for path in (*_some(masks), *_some(photos)):
        try:
            with decoded(path) as image:
                small = image.resize((min(SIDE, image.width), min(SIDE, image.height)), Image.Resampling.NEAREST)
                pixels = np.asarray(small.convert("RGB")).reshape(-1, 3).astype(int)
        except (*DAMAGE, Refusal):
            return False
        grey.append(bool((np.ptp(pixels, axis=1) <= GREY).mean() > 0.98))
    half = len(_some(masks))
    return bool(grey) and all(grey[:half]) and not any(grey[half:])


def _some(paths: Sequence[Path]) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]


def _looks_so(path: Path, cutouts: bool, most: float) -> bool | None:
    try:
        with decoded(path) as image:
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                return len(np.unique(np.asarray(image))) <= COLOURS
            small = image.resize((min(SIDE, image.width), min(SIDE, image.height)), Image.Resampling.NEAREST)
            if cutouts and (small.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info):
                alpha = np.asarray(small.convert("RGBA"))[..., 3]
                if (alpha < 128).mean() >= HIDDEN:
                    return True
            pixels = np.asarray(small.convert("RGB")).reshape(-1, 3)
    except (*DAMAGE, Refusal):
        return None
    if len(np.unique(pixels, axis=0)) <= COLOURS:
        return True
    grey = np.ptp(pixels.astype(int), axis=1) <= 2
    extreme = (pixels[:, 0] <= EXTREME) | (pixels[:, 0] >= 255 - EXTREME)
    return bool((grey & extreme).mean() >= most)
