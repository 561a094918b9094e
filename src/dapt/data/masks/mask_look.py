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


def look_like_masks(paths: Sequence[Path]) -> bool:
    """Whether most of a sample of picture files are black and white, or have as few colours as label maps.

    Files that cannot be opened say nothing.
    """
    step = max(1, len(paths) // SAMPLE)
    verdicts = [verdict for path in paths[::step][:SAMPLE] if (verdict := _looks_so(path)) is not None]
    return bool(verdicts) and sum(verdicts) > len(verdicts) * 0.7


def _looks_so(path: Path) -> bool | None:
    try:
        with decoded(path) as image:
            if image.mode in ("I", "F") or image.mode.startswith("I;16"):
                return len(np.unique(np.asarray(image))) <= COLOURS
            small = image.resize((min(SIDE, image.width), min(SIDE, image.height)), Image.Resampling.NEAREST)
            pixels = np.asarray(small.convert("RGB")).reshape(-1, 3)
    except (*DAMAGE, Refusal):
        return None
    if len(np.unique(pixels, axis=0)) <= COLOURS:
        return True
    grey = np.ptp(pixels.astype(int), axis=1) <= 2
    extreme = (pixels[:, 0] <= EXTREME) | (pixels[:, 0] >= 255 - EXTREME)
    return bool((grey & extreme).mean() >= MOST)
