"""Crops that show both sides are of use, all others are not; and every crop has a seed of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dapt.data.load.image_cache import ImageCache
from dapt.data.load.loader import TrainImages, epoch_batches, train_loader
from dapt.data.load.transforms import train_transform
from dapt.data.resolve import load_data
from dapt.seeds import mix_seed
from helpers import PREPROCESS, make_folder

CPU = torch.device("cpu")


def images(root: Path, transform=None, seed: int = 3) -> TrainImages:
    folder = root / "photos"
    items = load_data(str(folder if folder.is_dir() else make_folder(folder))).split("train")
    transform = transform or train_transform((32, 32), PREPROCESS, crop_scale=(0.1, 1.0), flip=0.5)
    return TrainImages(items, [item.label for item in items], transform, ImageCache(8), seed)


def shows(*values: float):
    """A transform whose crop shows these values of the mask."""
    return lambda image, mask, /, generator=None: (torch.zeros(3, 1, len(values)), torch.tensor([[list(values)]]))


@pytest.mark.parametrize(
    ("values", "usable"),
    [
        ((1.0, 1.0, 1.0), False),  # foreground only
        ((0.0, 0.0, 0.0), False),  # background only
        ((1.0, 1.0, 0.0), True),
        ((0.0, 0.0, 1.0), True),
        ((0.5, 0.5, 0.5), True),  # a soft mask
        ((1.0, 0.99, 1.0), True),
    ],
)
def test_a_crop_needs_both_sides(tmp_path: Path, values: tuple[float, ...], usable: bool) -> None:
    own = images(tmp_path, shows(*values))
    own = own.with_masks([torch.eye(48)[:40]] * len(own))
    assert own[0, 0][3] is usable
    own = own.with_masks([None] * len(own))
    assert own[0, 0][3] is False  # without a mask nothing is of use, whatever the transform makes of it


def test_real_crops_of_one_side(tmp_path: Path) -> None:
    """Small crops of a mask whose left half is foreground: some lie in one half, and exactly those are left out."""
    own = images(tmp_path, train_transform((32, 32), PREPROCESS, crop_scale=(0.02, 0.1), flip=0.5))
    half = torch.zeros(40, 48)
    half[:, :24] = 1.0
    own = own.with_masks([half] * len(own))
    kinds = set()
    for epoch in range(4):
        for position in range(len(own)):
            _, _, mask, usable = own[epoch, position]
            values = tuple(mask.unique().tolist())
            assert usable == (values == (0.0, 1.0))
            kinds.add(values)
    assert kinds == {(0.0,), (1.0,), (0.0, 1.0)}


def test_masks_of_another_size_cover_the_whole_image(tmp_path: Path) -> None:
    """A map of 4 x 4 cells is enlarged: hard ones by the nearest cell, soft ones smoothly."""
    seen = []

    def keep(image, mask, /, generator=None):
        seen.append(mask)
        return torch.zeros(3, 1, 1), mask

    own = images(tmp_path, keep)
    cells = torch.zeros(4, 4)
    cells[0, 0] = 1.0
    own = own.with_masks([cells] * len(own))
    own[0, 0]
    own.soft = True
    own[0, 0]
    hard, soft = seen
    assert hard.shape == soft.shape == (1, 40, 48)
    assert hard[0, :10, :12].all()
    assert hard.sum() == 10 * 12
    assert len(soft.unique()) > 2


def test_a_crop_depends_on_seed_epoch_and_position(tmp_path: Path) -> None:
    own, other = images(tmp_path), images(tmp_path, seed=4)
    crops = {
        (seed, epoch, position): found[epoch, position][0]
        for seed, found in ((3, own), (4, other))
        for epoch in range(3)
        for position in range(3)
    }
    # the very same picture at every place, so that only the draw differs
    own.items = other.items = [own.items[0]] * len(own)
    crops = {key: (own if key[0] == 3 else other)[key[1], key[2]][0] for key in crops}
    keys = list(crops)
    for number, first in enumerate(keys):
        for second in keys[number + 1 :]:
            assert not torch.equal(crops[first], crops[second]), (first, second)
        assert torch.equal(crops[first], (own if first[0] == 3 else other)[first[1], first[2]][0])


@pytest.mark.parametrize("workers", [0, 1])
def test_the_loader_hands_the_epoch_on(tmp_path: Path, workers: int) -> None:
    own = images(tmp_path)
    positions = [[3, 1, 4], [0, 5]]
    try:
        found = {
            epoch: list(train_loader(own, positions, epoch=epoch, workers=workers, device=CPU)) for epoch in (0, 1, 7)
        }
    finally:
        own.close()
    for epoch, batches in found.items():
        for chosen, batch in zip(positions, batches, strict=True):
            expected = torch.stack([own[epoch, position][0] for position in chosen])
            assert torch.equal(batch.pixels, expected)
            assert batch.labels.tolist() == [own.labels[position] for position in chosen]
    assert not torch.equal(found[0][0].pixels, found[1][0].pixels)


def test_mixed_seeds_are_what_they_were() -> None:
    """Another mixing would change every result with a seed; parts and their places count."""
    assert mix_seed(1) == 2
    assert mix_seed(1, 0) == 2 * 1_000_003 + 1
    assert mix_seed(3, 2, 1) == (4 * 1_000_003 + 3) * 1_000_003 + 2
    assert mix_seed(2**40, 5, 9) == (((2**40 + 1) * 1_000_003 + 6) * 1_000_003 + 10) % (2**63 - 25)
    assert len({mix_seed(*parts) for parts in ((1, 2), (2, 1), (1, 2, 0), (0, 1, 2), (1,), (2,), (1, 0, 2))}) == 7
    assert len({mix_seed(1, epoch, position) for epoch in range(100) for position in range(100)}) == 10_000


ORDER = torch.randperm(10, generator=torch.Generator().manual_seed(mix_seed(1, 2))).tolist()


def positions_of(batches: list[list[int]]) -> list[int]:
    return [position for batch in batches for position in batch]


@pytest.mark.parametrize(
    ("count", "size", "kept", "lengths"),
    [
        (10, 5, 10, [5, 5]),  # divides
        (10, 4, 8, [4, 4]),  # two are left over
        (10, 9, 9, [9]),  # one is left over
        (10, 3, 9, [3, 3, 3]),
        (10, 10, 10, [10]),  # one whole batch
        (10, 11, 10, [10]),  # one smaller batch, and no other: it stays
        (10, 1, 10, [1] * 10),
        (10, 100, 10, [10]),
    ],
)
def test_the_last_smaller_batch_is_left_out(count: int, size: int, kept: int, lengths: list[int]) -> None:
    found = epoch_batches(count, size, seed=1, epoch=2)
    assert [len(batch) for batch in found] == lengths
    assert positions_of(found) == ORDER[:kept]
    everything = epoch_batches(count, size, seed=1, epoch=2, drop_last=False)
    assert positions_of(everything) == ORDER
    assert [len(batch) for batch in everything] == [*lengths, *([10 - kept] if kept < 10 else [])]


def test_one_image_more_or_less_than_whole_batches() -> None:
    for count, batches in ((7, 1), (8, 2), (9, 2), (11, 2), (12, 3), (13, 3)):
        found = epoch_batches(count, 4, seed=0, epoch=0)
        assert [len(batch) for batch in found] == [4] * batches, count
        assert all(0 <= position < count for position in positions_of(found))
    assert epoch_batches(1, 4, seed=0, epoch=0) == [[0]]
    assert epoch_batches(0, 4, seed=0, epoch=0) == []


@pytest.mark.parametrize(("world", "shares"), [(1, [4, 4, 2]), (2, [2, 2, 1]), (3, [1, 1]), (4, [1, 1]), (5, [])])
def test_processes_take_equal_consecutive_parts(world: int, shares: list[int]) -> None:
    parts = [epoch_batches(10, 4, seed=1, epoch=2, drop_last=False, rank=rank, world=world) for rank in range(world)]
    for rank, part in enumerate(parts):
        assert [len(batch) for batch in part] == shares
        starts = [0, 4, 8][: len(shares)]
        expected = [
            ORDER[start + rank * share : start + (rank + 1) * share]
            for start, share in zip(starts, shares, strict=True)
        ]
        assert part == expected
    together = [position for part in parts for position in positions_of(part)]
    assert len(set(together)) == len(together)


def test_orders_differ_by_seed_and_epoch() -> None:
    orders = {tuple(positions_of(epoch_batches(16, 4, seed=s, epoch=e))) for s in range(3) for e in range(3)}
    assert len(orders) == 9
