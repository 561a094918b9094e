"""What one image file holds: its bytes, its size, and a print of its looks by which near copies are found."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dapt.data.contents import file_digest
from dapt.data.load.images import RefusedImageError
from dapt.data.load.small import small_image
from dapt.errors import DataError

VERSION = 1  # of what is noted about an image; raise it whenever that changes
SIDE = 64  # pixels of the picture that is looked at
THUMB = 16  # pixels of the grey thumbnail by which near copies are compared
GREY = 8  # levels by which the channels of a grey picture may differ
FLAT = 6  # levels between the darkest and the brightest of a picture of one colour


@dataclass(frozen=True)
class Look:
    """What was found in a file.

    Attributes:
        digest: of its bytes; empty where they could not be read. width, height: of the picture held upright, in pixels.
        turned: a tag in the file turns it. kind: its format, as Pillow calls it. grey: without colour. flat: of one
        colour.
        hash, mirrored: 64 bits that say where the picture and its mirror image grow brighter from left to right.
        thumb: ``THUMB * THUMB`` grey levels, row by row.
        problem: why it cannot be used; empty where it can. refused: and it is not damaged, see `RefusedImageError`.
    """

    digest: str = ""
    width: int = 0
    height: int = 0
    turned: bool = False
    kind: str = ""
    grey: bool = False
    flat: bool = False
    hash: int = 0
    mirrored: int = 0
    thumb: bytes = b""
    problem: str = ""
    refused: bool = False

    def as_text(self) -> str:
        """The look as JSON."""
        return json.dumps({**asdict(self), "thumb": base64.b64encode(self.thumb).decode()})

    @classmethod
    def of_text(cls, text: str) -> Look:
        """From `as_text`.

        Raises:
            ValueError, TypeError, LookupError: it is something else.
        """
        tree = json.loads(text)
        return cls(**{**tree, "thumb": base64.b64decode(tree["thumb"])})


def look_at(path: Path) -> Look:
    """Read and decode an image."""
    digest = ""
    try:
        digest = file_digest(path)
        small = small_image(path, SIDE)
    except DataError as error:
        return Look(digest=digest, problem=error.what, refused=isinstance(error, RefusedImageError))
    except OSError as error:
        return Look(problem=f"{path} cannot be read: {error.strerror or error}.")
    picture = small.picture.resize((SIDE, SIDE), Image.Resampling.BOX, reducing_gap=2.0)
    colours = np.asarray(picture).astype(np.int16)
    spread = colours.max(axis=2) - colours.min(axis=2)
    grey = picture.convert("L")
    return Look(
        digest=digest,
        width=small.size[0],
        height=small.size[1],
        turned=small.turned,
        kind=small.kind,
        grey=int(spread.max()) <= GREY,
        flat=int((colours.max(axis=(0, 1)) - colours.min(axis=(0, 1))).max()) <= FLAT,
        hash=_gradients(grey),
        mirrored=_gradients(grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        thumb=grey.resize((THUMB, THUMB), Image.Resampling.BOX).tobytes(),
    )


def _gradients(grey: Image.Image) -> int:
    """64 bits: for 8 rows of 9 cells, whether each cell is darker than the next (a difference hash)."""
    cells = np.asarray(grey.resize((9, 8), Image.Resampling.BOX)).astype(np.int16)
    return int.from_bytes(np.packbits(cells[:, :-1] < cells[:, 1:]).tobytes(), "big")
