"""The three views of an image: whole, foreground, background.

In DAPT (arXiv 2508.00395) hidden pixels become the mean colour of the data the model was trained on, which is 0 after
normalisation. All other fills, and masks that are grown or softened, are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

from dapt.dapt_options import DaptOptions, Fill
from dapt.data.batch import Batch
from dapt.errors import DataError
from dapt.model.fill_in import filled_from_around
from dapt.model.needs import FOREGROUND, FULL

BLUR = 8  # a blurred pixel is the mean over a window of a quarter of the image, twice: side / BLUR to each side


@dataclass(frozen=True)
class ViewMaking:
    """How foreground and background views are made; the options of that name of `DaptOptions`.

    Attributes:
        fill: what hidden pixels become. soften, dilate: shares of the image's shorter side.
    """

    fill: Fill = "mean"
    soften: float = 0.0
    dilate: float = 0.0

    @property
    def lends(self) -> bool:
        """Whether images are shown on the backgrounds of others."""
        return self.fill == "exchange"

    @classmethod
    def of(cls, options: DaptOptions) -> ViewMaking:
        """As the options ask."""
        return cls(options.fill, options.soften, options.dilate)


AS_PUBLISHED = ViewMaking()


def view_of(batch: Batch, name: str, making: ViewMaking = AS_PUBLISHED) -> Tensor:
    """Pixels ``[B, 3, H, W]`` of a view.

    Args:
        making: what hidden pixels become, and what is done to masks beforehand. Noise is a fixed pattern of the spread
            of normalised images, the same in every step. With ``exchange`` an image's foreground is shown on the
            background of the image before it in the batch (the first one: of `Batch.before`, or of the last one), whose
            own object is filled in; where that has no usable mask, or there is no other image, on the mean colour.
    """
    if name == FULL:
        return batch.pixels
    mask = shaped(masks_of(batch).to(batch.pixels.dtype), making)
    shown = mask if name == FOREGROUND else 1 - mask
    visible = batch.pixels * shown
    if making.fill == "mean":
        return visible
    return visible + (1 - shown) * _hidden(batch, name, mask, making)


def shaped(mask: Tensor, making: ViewMaking) -> Tensor:
    """Masks ``[B, 1, H, W]`` grown or shrunk, then softened."""
    side = min(mask.shape[-2:])
    if making.dilate:
        reach = max(1, round(abs(making.dilate) * side))
        window = 2 * reach + 1
        grown = F.max_pool2d(mask if making.dilate > 0 else -mask, window, stride=1, padding=reach)
        mask = grown if making.dilate > 0 else -grown
    reach = max(1, round(making.soften * side / 2))
    for _ in range(2 if making.soften else 0):
        mask = F.avg_pool2d(mask, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)
    return mask


def with_both_halves(batch: Batch, making: ViewMaking) -> Batch:
    """The batch, in which a mask that growing or shrinking has filled or emptied is not usable."""
    if not making.dilate or batch.masks is None:
        return batch
    share = shaped(batch.masks.float(), making).flatten(1).mean(dim=1)
    sees_both = (share > 0) & (share < 1)
    return replace(batch, usable=sees_both if batch.usable is None else sees_both & batch.usable)


def _hidden(batch: Batch, name: str, mask: Tensor, making: ViewMaking) -> Tensor:
    """What hidden pixels become, ``[B, 3, H, W]``."""
    pixels, fill = batch.pixels, making.fill
    if fill == "blur":
        return _blurred(pixels)
    if fill == "noise":
        return _noise(pixels)
    if fill == "inpaint":
        return filled_from_around(pixels, mask if name == FOREGROUND else 1 - mask)
    backgrounds = filled_from_around(pixels, 1 - mask)
    if name != FOREGROUND:
        return backgrounds
    return _lent(batch, backgrounds, making)


def _lent(batch: Batch, backgrounds: Tensor, making: ViewMaking) -> Tensor:
    """What lies behind the object of each image: the background of the one before it."""
    if batch.before is None and len(backgrounds) == 1:
        return torch.zeros_like(backgrounds)
    if batch.usable is not None:
        backgrounds = _where(batch.usable, backgrounds)
    if batch.before is None:
        return backgrounds.roll(1, dims=0)
    pixels, mask, usable = batch.before
    first = filled_from_around(pixels, 1 - shaped(mask.to(pixels.dtype), making))
    return torch.cat([_where(usable, first), backgrounds[:-1]])


def _where(usable: Tensor, backgrounds: Tensor) -> Tensor:
    return torch.where(usable[:, None, None, None], backgrounds, torch.zeros_like(backgrounds))


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
