"""Joint transforms: whatever happens to the geometry of an image happens to its mask.

Training as in CLIP prompt tuning: random resized crop and horizontal flip; test: shorter side resized, centre
crop. Images are interpolated as the model asks (bicubic), masks always by the nearest pixel.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2

from dapt.clip.frozen import Preprocess

Joint = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

_MODES = {
    "bicubic": InterpolationMode.BICUBIC,
    "bilinear": InterpolationMode.BILINEAR,
    "nearest": InterpolationMode.NEAREST,
}


def _finish(preprocess: Preprocess) -> list[v2.Transform]:
    return [
        v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
        v2.Normalize(mean=list(preprocess.mean), std=list(preprocess.std)),
    ]


def _joint(steps: list[v2.Transform]) -> Joint:
    composed = v2.Compose(steps)

    def apply(image: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        pixels, warped = composed(tv_tensors.Image(image), tv_tensors.Mask(mask))
        return pixels.as_subclass(Tensor), warped.as_subclass(Tensor)

    return apply


def train_transform(
    size: tuple[int, int], preprocess: Preprocess, *, crop_scale: tuple[float, float], flip: float
) -> Joint:
    """Random crop of an area share in `crop_scale` (aspect 3/4 to 4/3), resize to `size`, flip, normalise.

    The function takes image uint8 ``[3, H, W]`` and mask float ``[1, H, W]``.
    """
    mode = _MODES.get(preprocess.interpolation, InterpolationMode.BICUBIC)
    crop = v2.RandomResizedCrop(size, scale=crop_scale, ratio=(3 / 4, 4 / 3), interpolation=mode, antialias=True)
    return _joint([crop, v2.RandomHorizontalFlip(flip), *_finish(preprocess)])


def eval_transform(size: tuple[int, int], preprocess: Preprocess) -> Joint:
    """Resize the shorter side to `size`, cut out the centre, normalise; or squash where the model wants that."""
    if preprocess.resize_mode == "squash":
        return whole_transform(size, preprocess)
    mode = _MODES.get(preprocess.interpolation, InterpolationMode.BICUBIC)
    resize = v2.Resize(min(size), interpolation=mode, antialias=True)
    return _joint([resize, v2.CenterCrop(size), *_finish(preprocess)])


def whole_transform(size: tuple[int, int], preprocess: Preprocess) -> Joint:
    """Resize the whole image to `size` whatever its aspect, normalise: for cues that must cover all of it."""
    mode = _MODES.get(preprocess.interpolation, InterpolationMode.BICUBIC)
    return _joint([v2.Resize(size, interpolation=mode, antialias=True), *_finish(preprocess)])


def denormalise(pixels: Tensor, preprocess: Preprocess) -> Tensor:
    """Undo the normalisation: ``[..., 3, H, W]`` in 0..1, for pictures."""
    mean = torch.tensor(preprocess.mean, device=pixels.device).view(3, 1, 1)
    std = torch.tensor(preprocess.std, device=pixels.device).view(3, 1, 1)
    return (pixels * std + mean).clamp(0, 1)
