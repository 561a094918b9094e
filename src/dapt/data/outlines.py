"""Where an annotation says that an object is: a box, a polygon, or runs of pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

UNTOLD = (0.0, 0.0)  # the size of a picture that an annotation does not tell: its numbers are the picture's own pixels


@dataclass(frozen=True)
class Outline:
    """One object.

    Attributes:
        kind: ``box``: left, top, right, bottom. ``polygon``: x and y of each corner in turn. ``runs``: lengths of
            runs of pixels outside and inside in turn, down the columns, beginning outside (COCO's run lengths).
        values: the numbers. size: width and height of the picture that they refer to; (1, 1): shares of the
            picture, as it is held upright. `UNTOLD`: the export does not tell it.
    """

    kind: Literal["box", "polygon", "runs"]
    values: tuple[float, ...]
    size: tuple[float, float]
