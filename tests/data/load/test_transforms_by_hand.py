"""What transforms make of an image, against Pillow's resizing and on pictures small enough to be worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from dapt.data.load.transforms import denormalise, draw_crop, eval_transform, train_transform, whole_transform
from helpers import PREPROCESS

PIXELS = np.random.default_rng(0).integers(0, 256, (60, 100, 3), dtype=np.uint8)
SIZE = (24, 32)  # height and width
MODES = [
    ("bicubic", Image.Resampling.BICUBIC),
    ("bilinear", Image.Resampling.BILINEAR),
    ("lanczos", Image.Resampling.BICUBIC),  # what is not known is bicubic
]


def image(pixels: np.ndarray = PIXELS) -> Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)


def resized(width: int, height: int, how: Image.Resampling) -> np.ndarray:
    """Pillow's picture, which smooths before it leaves pixels out."""
    return np.asarray(Image.fromarray(PIXELS).resize((width, height), how))


def close(found: Tensor, expected: np.ndarray) -> bool:
    """Within the two steps of 255 by which libraries round differently; noise of this size differs by far more."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (PREPROCESS.mean, PREPROCESS.std))
    return float(((found * std + mean) * 255 - image(expected)).abs().max()) <= 2.0


@pytest.mark.parametrize(("mode", "how"), MODES)
def test_the_shorter_side_is_resized_and_the_centre_kept(mode: str, how: Image.Resampling) -> None:
    transform = eval_transform(SIZE, replace(PREPROCESS, interpolation=mode))
    assert close(transform(image(), None)[0], resized(40, 24, how)[:, 4:36])


@pytest.mark.parametrize(("mode", "how"), MODES)
def test_the_whole_image_is_squashed(mode: str, how: Image.Resampling) -> None:
    preprocess = replace(PREPROCESS, interpolation=mode)
    assert close(whole_transform(SIZE, preprocess)(image(), None)[0], resized(32, 24, how))
    squash = replace(preprocess, resize_mode="squash")
    assert close(eval_transform(SIZE, squash)(image(), None)[0], resized(32, 24, how))


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("size", [(24, 32), (32, 24), (28, 28)])
@pytest.mark.parametrize("turned", [False, True])
def test_models_of_any_shape_see_what_open_clip_shows_them(mode: str, size: tuple[int, int], turned: bool) -> None:
    pixels = PIXELS.transpose(1, 0, 2) if turned else PIXELS
    theirs = open_clip.image_transform(size, is_train=False, mean=PREPROCESS.mean, std=PREPROCESS.std, resize_mode=mode)
    transform = eval_transform(size, replace(PREPROCESS, resize_mode=mode))
    seen, mask = transform(image(pixels), torch.ones(1, *pixels.shape[:2]))
    expected = theirs(Image.fromarray(np.ascontiguousarray(pixels)))
    assert seen.shape == expected.shape
    assert float((denormalise(seen, PREPROCESS) - denormalise(expected, PREPROCESS)).abs().max()) <= 2 / 255
    padded = (denormalise(seen, PREPROCESS) < 1e-6).all(dim=0)
    assert torch.equal(mask[0] == 0, padded)  # what is beside the image is no foreground
    assert bool(padded.any()) == (mode == "longest")


def test_a_strip_keeps_a_row() -> None:
    strip = torch.full((3, 1, 400), 255, dtype=torch.uint8)
    seen, mask = eval_transform((8, 8), replace(PREPROCESS, resize_mode="longest"))(strip, torch.ones(1, 1, 400))
    shown = denormalise(seen, PREPROCESS).mean(dim=0)
    assert torch.equal(mask[0], (shown > 0.5).float())
    assert mask.sum() == 8


def test_masks_are_resized_and_cut_by_whole_cells() -> None:
    cells = torch.tensor([[[1.0, 0.0, 0.25, 1.0], [0.0, 1.0, 1.0, 0.0]]])
    picture = torch.zeros(3, 2, 4, dtype=torch.uint8)
    large = cells.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)  # 4 x 8
    assert torch.equal(whole_transform((4, 8), PREPROCESS)(picture, cells)[1], large)
    assert torch.equal(eval_transform((4, 4), PREPROCESS)(picture, cells)[1], large[..., 2:6])


@pytest.mark.parametrize(
    "transform",
    [
        train_transform(SIZE, PREPROCESS, crop_scale=(0.1, 1.0), flip=0.5),
        eval_transform(SIZE, PREPROCESS),
        whole_transform(SIZE, PREPROCESS),
    ],
)
def test_no_mask_is_no_foreground(transform) -> None:
    pixels, mask = transform(image(), None)
    assert pixels.shape == (3, *SIZE)
    assert torch.equal(mask, torch.zeros(1, *SIZE))


@pytest.mark.parametrize(("flip", "drawn", "flipped"), [(0.0, 0.0, False), (1.0, 1 - 2**-24, True), (0.5, 0.5, False)])
def test_the_ends_of_the_flip(monkeypatch, flip: float, drawn: float, flipped: bool) -> None:
    """The draw is in [0, 1): a flip of 0 never happens and one of 1 always does."""
    monkeypatch.setattr(torch, "rand", lambda *size, generator=None: torch.full(size, drawn))
    picture = torch.zeros(3, 4, 4, dtype=torch.uint8)
    picture[..., 0] = 255
    mask = (picture[:1] > 0).float()
    square = train_transform((4, 4), PREPROCESS, crop_scale=(1.0, 1.0), flip=flip)
    generator = torch.Generator()
    while True:  # until the crop is all of the picture
        state = generator.get_state()
        if draw_crop(4, 4, (1.0, 1.0), generator) == (0, 0, 4, 4):
            break
    generator.set_state(state)
    pixels, warped = square(picture, mask, generator=generator)
    column = 3 if flipped else 0
    assert warped.sum(dim=(0, 1)).nonzero().flatten().tolist() == [column]
    assert pixels[0].mean(dim=0).argmax() == column


def test_crops_where_none_fits() -> None:
    """All of the area in an aspect of 3/4 to 4/3 does not fit into a strip: the widest crop in its centre."""
    generator = torch.Generator().manual_seed(0)
    assert draw_crop(10, 100, (1.0, 1.0), generator) == (0, 43, 10, 13)
    assert draw_crop(100, 10, (1.0, 1.0), generator) == (43, 0, 13, 10)
    draws = torch.Generator().manual_seed(0)
    torch.empty(40).uniform_(generator=draws)
    assert torch.equal(torch.rand(3, generator=generator), torch.rand(3, generator=draws))  # ten tries of two draws


def test_no_crop_is_without_pixels() -> None:
    generator = torch.Generator().manual_seed(0)
    assert {draw_crop(1, 1, (0.01, 1.0), generator) for _ in range(200)} == {(0, 0, 1, 1)}
    sizes = {draw_crop(2, 3, (0.01, 1.0), generator)[2:] for _ in range(400)}
    assert min(min(size) for size in sizes) == 1
    assert len(sizes) > 3


def test_pictures_of_normalised_pixels() -> None:
    """Mean 0.5, 0.4, 0.3 and spread 0.25, 0.2, 0.3; what would be darker than black or brighter than white is cut."""
    pixels = torch.tensor([[1.0, -1.0, 9.0], [1.0, -1.0, -9.0], [1.0, -1.0, 9.0]]).view(3, 1, 3)
    expected = [[[0.75, 0.25, 1.0]], [[0.6, 0.2, 0.0]], [[0.6, 0.0, 1.0]]]
    assert torch.allclose(denormalise(pixels, PREPROCESS), torch.tensor(expected), atol=1e-6)
    batch = denormalise(pixels.expand(2, 3, 1, 3), PREPROCESS)
    assert torch.allclose(batch[1], torch.tensor(expected), atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 40_000), (40_000, 1), (3, 2_000)])
def test_of_long_strips_the_middle_alone_is_resized(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of 300,000 x 1 pixels took 9.5 GB."""
    resized_ones: list[tuple[int, int]] = []
    real = v2.Resize.forward

    def watched(self: v2.Resize, *inputs: Tensor) -> object:
        resized_ones.extend(tuple(each.shape[-2:]) for each in inputs)
        return real(self, *inputs)

    monkeypatch.setattr(v2.Resize, "forward", watched)
    strip = torch.randint(0, 256, (3, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    seen, _ = eval_transform((14, 14), PREPROCESS)(strip, torch.zeros(1, *shape))
    longest = 32 * min(shape)
    assert {max(size) for size in resized_ones} == {longest}
    top, left = (max(0, side - longest) // 2 for side in shape)
    middle = strip[:, top : top + longest, left : left + longest]
    assert torch.equal(seen, eval_transform((14, 14), PREPROCESS)(middle, torch.zeros(1, *middle.shape[1:]))[0])
