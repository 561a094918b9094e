"""The three views of an image: whole, foreground, background.

In DAPT (arXiv 2508.00395) hidden pixels become the mean colour of the data the model was trained on, which is 0 after
normalisation. Blurred and noisy fills are for ablations.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.data.batch import Batch
from dapt.errors import DataError
from dapt.model.needs import FOREGROUND, FULL

Fill = Literal["mean", "blur", "noise"]
BLUR = 8  # a blurred pixel is the mean over a window of a quarter of the image, twice: side / BLUR to each side


def view_of(batch: Batch, name: str, fill: Fill = "mean") -> Tensor:
    """Pixels ``[B, 3, H, W]`` of a view.

    Args:
        fill: what hidden pixels become: the mean colour, the blurred image, or noise (a fixed pattern of the
            spread of normalised images, the same in every step).
    """
    if name == FULL:
        return batch.pixels
    mask = masks_of(batch).to(batch.pixels.dtype)
    shown = mask if name == FOREGROUND else 1 - mask
    visible = batch.pixels * shown
    if fill == "mean":
        return visible
    return visible + (1 - shown) * (_blurred(batch.pixels) if fill == "blur" else _noise(batch.pixels))


def masks_of(batch: Batch) -> Tensor:
    """The masks of a batch.

    Raises:
        DataError: it has none.
    """
    if batch.masks is None:
        raise DataError("The objective reads foreground views, but the batch has no masks.")
    return batch.masks


def _blurred(pixels: Tensor) -> Tensor:
    reach = max(1, min(pixels.shape[-2:]) // BLUR)
    for _ in range(2):
        pixels = F.avg_pool2d(pixels, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
    return pixels


def _noise(pixels: Tensor) -> Tensor:
    return _pattern(tuple(pixels.shape[1:]), pixels.dtype, pixels.device)


@cache
def _pattern(shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    with torch.inference_mode(False):
        return torch.randn(shape, generator=generator).to(device, dtype)
