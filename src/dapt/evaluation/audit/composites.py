"""Pictures put together from an object and a background: plain operations on pixels, all deterministic.

Pictures are uint8 ``[3, H, W]``, objects bool ``[H, W]``, boxes (top, left, bottom, right) in pixels, the last two not
inside. The kinds of pictures are those of "Noise or Signal" (Xiao et al., ICLR 2021, arXiv 2006.09994): there, too, a
background without its object is the image with the object's box tiled by the largest strip beside the box.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import InterpolationMode
from torchvision.transforms.v2 import functional

from dapt.model.fill_in import filled_from_around

Box = tuple[int, int, int, int]

MOST_CUT = 16  # times the pixels that are wanted are made at most, to be cut afterwards
PER_FEATHER = 112  # pixels of the shorter side to one pixel of feather: 2 pixels at 224


def feather_of(size: tuple[int, int]) -> int:
    """How many pixels to both sides of an object's outline two pictures run into each other."""
    return max(1, round(min(size) / PER_FEATHER))


def feathered(inside: Tensor, radius: int) -> Tensor:
    """How much of the object each pixel shows, float ``[H, W]``: 1 within it and 0 outside, but for `radius` pixels."""
    grown = F.pad(inside[None, None].float(), [radius] * 4, mode="replicate")  # no feather where the picture ends
    return F.avg_pool2d(grown, 2 * radius + 1, stride=1)[0, 0]


def grown(inside: Tensor, radius: int) -> Tensor:
    """The object and all pixels at most `radius` beside it (in rows and columns), bool ``[H, W]``."""
    return F.max_pool2d(inside[None, None].float(), 2 * radius + 1, stride=1, padding=radius)[0, 0] > 0


def box_of(inside: Tensor) -> Box:
    """The smallest box around an object that has a pixel."""
    rows, columns = inside.any(dim=1).nonzero()[:, 0], inside.any(dim=0).nonzero()[:, 0]
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def strip_beside(box: Box, size: tuple[int, int]) -> Box:
    """The largest of the four strips of a picture above, below, left and right of a box, from edge to edge."""
    top, left, bottom, right = box
    height, width = size
    strips = [(0, 0, top, width), (bottom, 0, height, width), (0, 0, height, left), (0, right, height, width)]
    return max(strips, key=lambda strip: (strip[2] - strip[0]) * (strip[3] - strip[1]))


def share_of(box: Box, size: tuple[int, int]) -> float:
    """The part of a picture that lies in a box."""
    return (box[2] - box[0]) * (box[3] - box[1]) / (size[0] * size[1])


def tiled(picture: Tensor, box: Box, strip: Box) -> Tensor:
    """The picture with its box covered by repetitions of a strip, which lie where the strip's neighbours would."""
    top, left, bottom, right = strip
    rows = torch.arange(box[0], box[2])
    columns = torch.arange(box[1], box[3])
    patch = picture[:, (rows - top) % (bottom - top) + top][:, :, (columns - left) % (right - left) + left]
    covered = picture.clone()
    covered[:, box[0] : box[2], box[1] : box[3]] = patch
    return covered


def filled_in(picture: Tensor, hole: Tensor) -> Tensor:
    """The picture with a hole filled smoothly from its surroundings.

    By pull and push (`dapt.model.fill_in`), a few lines that run in threads and give the same bytes everywhere; for
    what cannot be told from the hole smooth is enough.

    Args:
        hole: bool ``[H, W]``, not all of the picture.
    """
    known = (~hole)[None, None].float()
    return _rounded(filled_from_around(picture[None].float(), known)[0])


def blanked(picture: Tensor, box: Box, colour: Tensor) -> Tensor:
    """The picture with its box in one colour, uint8 ``[3]``."""
    covered = picture.clone()
    covered[:, box[0] : box[2], box[1] : box[3]] = colour[:, None, None]
    return covered


def laid_over(front: Tensor, behind: Tensor, alpha: Tensor) -> Tensor:
    """One picture over another, as much of it as `alpha` ``[H, W]`` says; where that is 0 or 1 no byte changes."""
    back = behind.float()
    return _rounded(back + (front.float() - back) * alpha)


def fitted(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of a picture that fills a size, resized so that nothing is stretched and as much as can be is seen."""
    height, width = picture.shape[-2:]
    if (height, width) == size:
        return picture
    factor = max(size[0] / height, size[1] / width)
    if height * width * factor**2 > MOST_CUT * size[0] * size[1]:  # a strip: cut first, or memory does not suffice
        rows, columns = max(1, round(size[0] / factor)), max(1, round(size[1] / factor))
        top, left = (height - rows) // 2, (width - columns) // 2
        strip = picture[:, top : top + rows, left : left + columns]
        thin: Tensor = functional.resize_image(
            strip, list(size), interpolation=InterpolationMode.BILINEAR, antialias=True
        )
        return thin
    target = [max(size[0], round(height * factor)), max(size[1], round(width * factor))]
    larger = functional.resize_image(picture, target, interpolation=InterpolationMode.BILINEAR, antialias=True)
    top, left = (target[0] - size[0]) // 2, (target[1] - size[1]) // 2
    cut: Tensor = larger[:, top : top + size[0], left : left + size[1]]
    return cut


def _rounded(values: Tensor) -> Tensor:
    return values.round_().clamp_(0, 255).to(torch.uint8)
