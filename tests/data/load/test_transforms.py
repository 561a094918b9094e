"""Image and mask stay aligned under every random draw, and batches are reproducible."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision import tv_tensors
from torchvision.transforms import v2

from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages, epoch_batches, train_loader
from dapt.data.load.transforms import (
    _MODES,
    denormalise,
    eval_transform,
    shows_both,
    train_transform,
    whole_transform,
)
from dapt.data.resolve import load_data
from dapt.seeds import mix_seed
from helpers import PREPROCESS, make_folder


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(24, 90),
    st.integers(24, 90),
    st.sampled_from(["train", "test", "whole"]),
    st.floats(0.1, 1.0),
)
def test_mask_follows_the_image(seed: int, height: int, width: int, kind: str, smallest: float) -> None:
    """The image is its own mask: white where the mask is, black elsewhere."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.zeros(height, width)
    top, left = (int(torch.randint(0, n // 2, (1,), generator=generator)) for n in (height, width))
    mask[top : top + height // 2, left : left + width // 2] = 1.0
    image = (mask * 255).to(torch.uint8).expand(3, -1, -1).contiguous()
    transform = {
        "train": lambda: train_transform((32, 32), PREPROCESS, crop_scale=(smallest, 1.0), flip=0.5),
        "test": lambda: eval_transform((32, 32), PREPROCESS),
        "whole": lambda: whole_transform((32, 32), PREPROCESS),
    }[kind]()
    torch.manual_seed(seed)
    pixels, warped = transform(image, mask.unsqueeze(0))
    assert pixels.shape == (3, 32, 32)
    assert warped.shape == (1, 32, 32)
    assert set(warped.unique().tolist()) <= {0.0, 1.0}
    seen = denormalise(pixels, PREPROCESS).mean(dim=0)
    # Interpolation blurs a few pixels at the edges of the mask; further inside and outside both must agree.
    inside = torch.nn.functional.conv2d(warped[None], torch.ones(1, 1, 7, 7), padding=3)[0, 0] == 49
    outside = torch.nn.functional.conv2d(1 - warped[None], torch.ones(1, 1, 7, 7), padding=3)[0, 0] == 49
    assert (seen[inside] > 0.6).all()
    assert (seen[outside] < 0.4).all()


@pytest.mark.parametrize("mode", ["bicubic", "bilinear", "nearest"])
def test_train_transform_equals_torchvision(mode: str) -> None:
    """Bit for bit, for images and masks of any shape and memory format, with own and with global draws."""
    preprocess = replace(PREPROCESS, interpolation=mode)
    ours = train_transform((24, 32), preprocess, crop_scale=(0.08, 1.0), flip=0.5)
    theirs = v2.Compose(
        [
            v2.RandomResizedCrop((24, 32), scale=(0.08, 1.0), interpolation=_MODES[mode], antialias=True),
            v2.RandomHorizontalFlip(0.5),
            v2.ToDtype({tv_tensors.Image: torch.float32, "others": None}, scale=True),
            v2.Normalize(mean=list(preprocess.mean), std=list(preprocess.std)),
        ]
    )
    for seed in range(150):
        generator = torch.Generator().manual_seed(seed)
        height, width = torch.randint(3, 120, (2,), generator=generator).tolist()  # some of them fit no crop
        image = torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8).permute(2, 0, 1)
        mask = (torch.rand(1, height, width, generator=generator) > 0.5).float()
        torch.manual_seed(mix_seed(seed, 7))
        pixels, warped = theirs(tv_tensors.Image(image.contiguous()), tv_tensors.Mask(mask))
        after = torch.rand(())
        torch.manual_seed(mix_seed(seed, 7))
        again, warped_again = ours(image, mask)
        assert torch.equal(torch.rand(()), after)
        own = torch.Generator().manual_seed(mix_seed(seed, 7))
        bare, nothing = ours(image, None, generator=own)
        assert torch.equal(torch.rand((), generator=own), after)
        assert torch.equal(again, pixels.as_subclass(torch.Tensor))
        assert torch.equal(bare, again)
        assert torch.equal(warped_again, warped.as_subclass(torch.Tensor))
        assert nothing.shape == warped.shape


@pytest.mark.parametrize("make", [eval_transform, whole_transform])
def test_fixed_transforms_do_not_mind_memory_formats_or_missing_masks(make) -> None:
    transform = make((24, 24), replace(PREPROCESS, interpolation="bicubic"))
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        height, width = torch.randint(10, 120, (2,), generator=generator).tolist()
        image = torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8).permute(2, 0, 1)
        expected = transform(image.contiguous(), torch.ones(1, height, width))[0]
        pixels, mask = transform(image, None)
        assert torch.equal(pixels, expected)
        assert pixels.is_contiguous()
        assert mask.shape == (1, 24, 24)


def images(tmp_path, transform=None) -> TrainImages:
    data = load_data(str(make_folder(tmp_path / "photos")))
    items = data.split("train")
    transform = transform or train_transform((32, 32), PREPROCESS, crop_scale=(0.1, 1.0), flip=0.5)
    return TrainImages(items, [item.label for item in items], transform, ImageCache(8), seed=3)


def test_a_draw_depends_on_seed_epoch_and_position_only(tmp_path) -> None:
    own = images(tmp_path)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    first = own[2, 5][0]
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(1)
    assert torch.equal(own[2, 5][0], first)
    assert not torch.equal(own[3, 5][0], first)
    assert not torch.equal(own[2, 6][0], first)


def test_loader_processes_do_not_change_the_batches(tmp_path) -> None:
    own = images(tmp_path)
    batches = epoch_batches(len(own), 4, seed=1, epoch=0)
    device = torch.device("cpu")
    alone = [b.pixels for b in train_loader(own, batches, epoch=0, workers=0, device=device)]
    helped = [b.pixels for b in train_loader(own, batches, epoch=0, workers=1, device=device)]
    assert all(torch.equal(a, b) for a, b in zip(alone, helped, strict=True))


def test_views_of_one_kind_are_not_usable(tmp_path) -> None:
    own = images(tmp_path)
    size = (40, 48)
    own = own.with_masks([None, torch.ones(size), torch.zeros(size), torch.eye(48)[:40]] + [None] * (len(own) - 4))
    assert [own[0, position][3] for position in range(4)] == [False, False, False, True]


@given(st.integers(1, 50), st.integers(1, 12), st.integers(0, 9), st.integers(0, 5), st.booleans())
@settings(max_examples=50)
def test_batches_cover_every_image_once(count: int, size: int, seed: int, epoch: int, drop: bool) -> None:
    batches = epoch_batches(count, size, seed=seed, epoch=epoch, drop_last=drop)
    flat = [position for batch in batches for position in batch]
    assert len(set(flat)) == len(flat)
    if drop and count >= size:
        assert all(len(batch) == size for batch in batches)
        assert len(flat) == count // size * size
    else:
        assert sorted(flat) == list(range(count))


@given(st.integers(1, 50), st.integers(1, 6), st.integers(1, 3))
def test_processes_share_the_global_batches(count: int, per_process: int, world: int) -> None:
    size = per_process * world
    whole = epoch_batches(count, size, seed=1, epoch=0)
    parts = [epoch_batches(count, size, seed=1, epoch=0, rank=rank, world=world) for rank in range(world)]
    assert len({len(part) for part in parts}) == 1
    for index in range(len(parts[0])):
        joined = [position for part in parts for position in part[index]]
        assert joined == whole[index][: len(joined)]
        assert len(whole[index]) - len(joined) < world
        assert len({len(part[index]) for part in parts}) == 1


def test_crops_are_drawn_again_until_they_show_foreground_and_background() -> None:
    image = torch.randint(0, 256, (3, 120, 160), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(1, 120, 160)
    mask[:, 50:70, 70:90] = 1  # a small object: many small crops miss it
    plain = train_transform((32, 32), PREPROCESS, crop_scale=(0.08, 1.0), flip=0.5)
    both = train_transform((32, 32), PREPROCESS, crop_scale=(0.08, 1.0), flip=0.5, both=True)
    shares: dict[str, list[float]] = {"plain": [], "both": []}
    same = 0
    for seed in range(60):
        one, other = (each(image, mask, generator=torch.Generator().manual_seed(seed)) for each in (plain, both))
        shares["plain"].append(float(one[1].mean()))
        shares["both"].append(float(other[1].mean()))
        if shows_both(one[1]) and 0.03 < shares["plain"][-1] < 0.97:  # as it was, so the first draw stays
            assert torch.equal(one[0], other[0])
            same += 1
    missed = {name: sum(share == 0 for share in found) for name, found in shares.items()}
    assert same > 20
    assert missed["plain"] > 5
    assert missed["both"] < missed["plain"] / 2
    alone = (each(image, None, generator=torch.Generator().manual_seed(3)) for each in (plain, both))
    assert torch.equal(*(pixels for pixels, _ in alone))
