"""Batches of images under the test transform, read in threads ahead of their use; damaged ones may be left out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dapt.data.load.loader import EvalImages
from dapt.data.load.prefetch import in_threads
from dapt.errors import DataError


@dataclass(frozen=True)
class ReadBatch:
    """Images that were read together.

    Attributes:
        places: of the images that could be read, in `EvalImages.items`. pixels: theirs, ``[B, 3, H, W]``; None of none.
        bad: why the others could not, by their place.
    """

    places: tuple[int, ...]
    pixels: Tensor | None
    bad: dict[int, DataError]


def read_batches(
    images: EvalImages, batches: Sequence[Sequence[int]], *, threads: int, skip_bad: bool
) -> Generator[ReadBatch, None, None]:
    """The batches in order, each image read once.

    Args:
        batches: places of the images of each. threads: that read, one at least.
        skip_bad: leave out images that cannot be read, instead of raising.

    Raises:
        DataError: an image cannot be read and `skip_bad` is false; batches before it were given.
    """

    def read(place: int) -> Tensor | DataError:
        try:
            return images[place][0]
        except DataError as error:
            if not skip_bad:
                raise
            return error

    for places, read_ones in zip(batches, in_threads(read, batches, threads), strict=True):
        found = dict(zip(places, read_ones, strict=True))
        good = {place: pixels for place, pixels in found.items() if isinstance(pixels, Tensor)}
        bad = {place: error for place, error in found.items() if isinstance(error, DataError)}
        yield ReadBatch(tuple(good), torch.stack([*good.values()]) if good else None, bad)
