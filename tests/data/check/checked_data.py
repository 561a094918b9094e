"""Pictures and data sets for the tests of checks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dapt.data.check.look import Look
from dapt.data.items import ImageSet, Item


def scene(seed: int, size: tuple[int, int] = (120, 90)) -> Image.Image:
    """A smooth picture in colours; those of other seeds look different."""
    cells = np.random.default_rng(seed).integers(0, 256, (7, 7, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def items(*rows: tuple[str, int], root: Path = Path("/data")) -> tuple[Item, ...]:
    """Items by name and label."""
    return tuple(Item(root / name, label, name) for name, label in rows)


def image_set(root: Path, names: tuple[str, ...] = ("cat", "dog"), **splits: list[tuple[str, int]]) -> ImageSet:
    """A data set of files in `root`."""
    return ImageSet("made", root, names, {split: items(*rows, root=root) for split, rows in splits.items()})


def good_look(**changes: object) -> Look:
    """A look at an ordinary photograph."""
    return Look(**{"digest": "d", "width": 640, "height": 480, "kind": "JPEG", "thumb": b"x", **changes})
