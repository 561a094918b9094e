"""Joint transforms: whatever happens to the geometry of an image happens to its mask.

Training as in CLIP prompt tuning: random resized crop and horizontal flip; test: shorter side resized, centre
crop, unless the model wants it otherwise. Images are interpolated as the model asks (bicubic), masks always by the
nearest pixel. Random draws come from a generator that the caller may hand over, so a transform can work beside a
training step in another thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Generator, Tensor
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional

from dapt.clip.frozen import Preprocess


class Joint(Protocol):
    """Image uint8 ``[3, H, W]`` and mask float ``[1, H, W]`` to pixels ``[3, h, w]`` and mask ``[1, h, w]``.

    Without a mask the second value is all zeros.
    """

    def __call__(self, image: Tensor, mask: Tensor | None, /) -> tuple[Tensor, Tensor]: ...


class RandomJoint(Protocol):
    """A `Joint` that draws from `generator`, or from torch's global one."""

    def __call__(
        self, image: Tensor, mask: Tensor | None, /, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor]: ...


_MODES = {
    "bicubic": InterpolationMode.BICUBIC,
    "bilinear": InterpolationMode.BILINEAR,
    "nearest": InterpolationMode.NEAREST,
}


RATIO = (3 / 4, 4 / 3)
STRIP = 32  # times the shorter side: what lies further from the middle is cut off before test images are resized
TRIES = 10  # of a crop that fits into the image, and of one that shows foreground and background
LEAST_SHOWN = 0.02  # of a crop has to be foreground, and background, where it is to show both


def _mode(preprocess: Preprocess) -> InterpolationMode:
    return _MODES.get(preprocess.interpolation, InterpolationMode.BICUBIC)


def _normalise(image: Tensor, preprocess: Preprocess) -> Tensor:
    """Bytes ``[3, H, W]`` in any memory format as normalised floats in the usual one."""
    scaled = functional.to_dtype_image(image.contiguous(), torch.float32, scale=True)
    normal: Tensor = functional.normalize_image(scaled, mean=list(preprocess.mean), std=list(preprocess.std))
    return normal


class _Fixed:
    """A transform without chance: geometric `steps` that end at `size`, then normalisation."""

    def __init__(self, steps: list[Callable[..., Any]], size: tuple[int, int], preprocess: Preprocess) -> None:
        self._steps = v2.Compose(steps)
        self._size = size
        self._preprocess = preprocess

    def __call__(self, image: Tensor, mask: Tensor | None, /) -> tuple[Tensor, Tensor]:
        if mask is None:
            seen, warped = self._steps(tv_tensors.Image(image)), torch.zeros(1, *self._size)
        else:
            seen, warped = self._steps(tv_tensors.Image(image), tv_tensors.Mask(mask))
        return _normalise(seen.as_subclass(Tensor), self._preprocess), warped.as_subclass(Tensor)


class _CutStrip:
    """Cut the middle out of images that are very long and narrow: resized whole they would take gigabytes."""

    def __call__(self, *seen: Tensor) -> Any:
        height, width = seen[0].shape[-2:]
        longest = STRIP * min(height, width)
        if max(height, width) <= longest:
            return seen if len(seen) > 1 else seen[0]
        return v2.CenterCrop((min(height, longest), min(width, longest)))(*seen)


class _KeepRatio:
    """Resize so that the image covers `size`, or just fits into it, in its own aspect; as open_clip rounds."""

    def __init__(self, size: tuple[int, int], mode: InterpolationMode, *, cover: bool) -> None:
        self._size = size
        self._mode = mode
        self._cover = cover

    def __call__(self, *seen: Tensor) -> Any:
        height, width = seen[0].shape[-2:]
        ratios = height / self._size[0], width / self._size[1]
        ratio = min(ratios) if self._cover else max(ratios)
        target = [max(1, round(height / ratio)), max(1, round(width / ratio))]
        return v2.Resize(target, interpolation=self._mode, antialias=True)(*seen)


def draw_crop(
    height: int, width: int, scale: tuple[float, float], generator: Generator | None
) -> tuple[int, int, int, int]:
    """Top, left, height and width of a crop, drawn exactly as torchvision's `v2.RandomResizedCrop` does."""
    low, high = torch.log(torch.tensor(RATIO)).tolist()
    for _ in range(TRIES):
        area = height * width * torch.empty(1).uniform_(*scale, generator=generator).item()
        aspect = torch.exp(torch.empty(1).uniform_(low, high, generator=generator)).item()
        w = round(math.sqrt(area * aspect))
        h = round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            top = int(torch.randint(0, height - h + 1, size=(1,), generator=generator))
            left = int(torch.randint(0, width - w + 1, size=(1,), generator=generator))
            return top, left, h, w
    w, h = width, height
    if width / height < min(RATIO):
        h = round(width / min(RATIO))
    elif width / height > max(RATIO):
        w = round(height * max(RATIO))
    return (height - h) // 2, (width - w) // 2, h, w


class _Random:
    """Random resized crop, horizontal flip, normalisation; equals torchvision's `v2` transforms bit for bit."""

    def __init__(
        self,
        size: tuple[int, int],
        preprocess: Preprocess,
        crop_scale: tuple[float, float],
        flip: float,
        both: bool = False,
    ) -> None:
        self._both = both
        self._size = size
        self._preprocess = preprocess
        self._scale = crop_scale
        self._flip = flip

    def __call__(
        self, image: Tensor, mask: Tensor | None, /, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        box = self._box(image, mask, generator)
        flipped = bool(torch.rand(1, generator=generator) < self._flip)
        mode = _mode(self._preprocess)
        seen = functional.resized_crop_image(image, *box, size=list(self._size), interpolation=mode, antialias=True)
        if flipped:
            seen = functional.horizontal_flip_image(seen)
        pixels = _normalise(seen, self._preprocess)
        if mask is None:
            return pixels, torch.zeros(1, *self._size)
        warped = functional.resized_crop_mask(mask, *box, size=list(self._size))
        return pixels, functional.horizontal_flip_mask(warped) if flipped else warped

    def _box(self, image: Tensor, mask: Tensor | None, generator: Generator | None) -> tuple[int, int, int, int]:
        """A crop; of those that are to show foreground and background the first of `TRIES` that does, or the last."""
        for _ in range(TRIES if self._both and mask is not None else 1):
            box = top, left, height, width = draw_crop(image.shape[-2], image.shape[-1], self._scale, generator)
            if mask is None or shows_both(mask[..., top : top + height, left : left + width]):
                break
        return box


def shows_both(mask: Tensor) -> bool:
    """Whether at least `LEAST_SHOWN` of a mask in 0..1 is foreground, and as much background."""
    return LEAST_SHOWN <= float(mask.float().mean()) <= 1 - LEAST_SHOWN


def train_transform(
    size: tuple[int, int],
    preprocess: Preprocess,
    *,
    crop_scale: tuple[float, float],
    flip: float,
    both: bool = False,
) -> RandomJoint:
    """Random crop of an area share in `crop_scale` (aspect 3/4 to 4/3), resize to `size`, flip, normalise.

    Args:
        both: crops of images with a mask are drawn again until they show foreground and background, at most `TRIES`
            times (`dapt.crops`).
    """
    return _Random(size, preprocess, crop_scale, flip, both)


def eval_transform(size: tuple[int, int], preprocess: Preprocess) -> Joint:
    """Resize as the model wants it (see `Preprocess`), cut out the centre, normalise.

    What lies beside an image that does not fill the `size` is black and no foreground.
    """
    if preprocess.resize_mode == "squash":
        return whole_transform(size, preprocess)
    mode = _mode(preprocess)
    resize: Callable[..., Any]
    if preprocess.resize_mode == "longest":
        resize = _KeepRatio(size, mode, cover=False)
    elif size[0] != size[1]:
        resize = _KeepRatio(size, mode, cover=True)
    else:
        resize = v2.Resize(size[0], interpolation=mode, antialias=True)
    steps = [resize, v2.CenterCrop(size)]
    return _Fixed(steps if preprocess.resize_mode == "longest" else [_CutStrip(), *steps], size, preprocess)


def whole_transform(size: tuple[int, int], preprocess: Preprocess) -> Joint:
    """Resize the whole image to `size` whatever its aspect, normalise: for cues that must cover all of it."""
    return _Fixed([v2.Resize(size, interpolation=_mode(preprocess), antialias=True)], size, preprocess)


def denormalise(pixels: Tensor, preprocess: Preprocess) -> Tensor:
    """Undo the normalisation: ``[..., 3, H, W]`` in 0..1, for pictures."""
    mean = torch.tensor(preprocess.mean, device=pixels.device).view(3, 1, 1)
    std = torch.tensor(preprocess.std, device=pixels.device).view(3, 1, 1)
    return (pixels * std + mean).clamp(0, 1)
