"""Batches: which images form them, and how they are loaded, reproducibly and without global state.

Every random draw of an image is seeded by (seed, epoch, position), so a resumed run, another number of loader
processes or of training processes sees the same pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from dapt.data.images import image_tensor
from dapt.data.items import Item
from dapt.data.mask_files import resize_map
from dapt.data.transforms import Joint
from dapt.objectives.base import Batch
from dapt.seeds import mix_seed

ReadMask = Callable[[Item, tuple[int, int]], "Tensor | None"]


class ImageCache:
    """Decoded images, kept in memory while they fit the budget.

    Args:
        limit_mb: budget in MB; 0 keeps nothing.
    """

    def __init__(self, limit_mb: int) -> None:
        self._left = limit_mb * 2**20
        self._kept: dict[Path, Tensor] = {}

    def __call__(self, item: Item) -> Tensor:
        """The image of an item, uint8 ``[3, H, W]``; treat it as read-only."""
        image = self._kept.get(item.path)
        if image is None:
            image = image_tensor(item.path)
            if image.numel() <= self._left:
                self._left -= image.numel()
                self._kept[item.path] = image
        return image


class TrainImages(Dataset[tuple[Tensor, int, Tensor, bool]]):
    """Training images with their masks, warped together.

    Args:
        items: images. labels: class of each, renumbered for the run.
        transform: joint transform. load_image: item to uint8 ``[3, H, W]``. seed: of the augmentation.

    Attributes:
        masks: per item a float mask of any resolution covering the whole image, or None.
        soft: masks are maps to interpolate, not hard masks.
    """

    def __init__(
        self,
        items: Sequence[Item],
        labels: Sequence[int],
        transform: Joint,
        load_image: ImageCache,
        seed: int,
    ) -> None:
        self.items = list(items)
        self.labels = list(labels)
        self.masks: list[Tensor | None] = [None] * len(self.items)
        self.soft = False
        self._transform = transform
        self._load = load_image
        self._seed = seed

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Any) -> tuple[Tensor, int, Tensor, bool]:
        epoch, position = key
        image = self._load(self.items[position])
        known = self.masks[position]
        size = (image.shape[1], image.shape[2])
        mask = torch.zeros(size) if known is None else resize_map(known, size, soft=self.soft)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(mix_seed(self._seed, epoch, position))
            pixels, warped = self._transform(image, mask.unsqueeze(0))
        # A crop that shows only foreground or only background has no second view to learn from.
        share = float(warped.mean())
        usable = known is not None and 0.0 < share < 1.0
        return pixels, self.labels[position], warped, usable


def epoch_batches(
    count: int,
    batch_size: int,
    *,
    seed: int,
    epoch: int,
    drop_last: bool = True,
    rank: int = 0,
    world: int = 1,
) -> list[list[int]]:
    """Positions of every batch of an epoch, as seen by one process.

    A random order without replacement; the last, smaller batch is left out when there is a full one (the
    field's loader does so). With several processes each global batch is cut into equal consecutive parts, so
    the processes together see the batches of a single process; batches that do not divide lose their rest.

    Args:
        count: number of images. batch_size: images per step over all processes.
        rank, world: index of this process and their number.
    """
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mix_seed(seed, epoch))).tolist()
    batches = [order[start : start + batch_size] for start in range(0, count, batch_size)]
    if drop_last and len(batches) > 1 and len(batches[-1]) < batch_size:
        batches.pop()
    parts = []
    for batch in batches:
        share = len(batch) // world
        if share:
            parts.append(batch[rank * share : (rank + 1) * share])
    return parts


def _collate(samples: list[tuple[Tensor, int, Tensor, bool]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    pixels, labels, masks, usable = zip(*samples, strict=True)
    return torch.stack(pixels), torch.tensor(labels), torch.stack(masks), torch.tensor(usable)


def train_loader(
    images: TrainImages, batches: Sequence[Sequence[int]], *, epoch: int, workers: int, device: torch.device
) -> Iterable[Batch]:
    """The batches of one epoch on `device`."""
    keys = [[(epoch, position) for position in batch] for batch in batches]
    loader: DataLoader[Any] = DataLoader(
        images,
        batch_sampler=keys,
        num_workers=workers,
        collate_fn=_collate,
        pin_memory=device.type == "cuda",
    )
    for parts in loader:
        pixels, labels, masks, usable = (part.to(device, non_blocking=True) for part in parts)
        yield Batch(pixels, labels, masks, usable)


class EvalImages(Dataset[tuple[Tensor, Tensor]]):
    """Images under the test transform, with a mask where there is one (all zeros elsewhere)."""

    def __init__(self, items: Sequence[Item], transform: Joint, read_mask: ReadMask | None = None) -> None:
        self.items = list(items)
        self._transform = transform
        self._read_mask = read_mask

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        item = self.items[position]
        image = image_tensor(item.path)
        size = (image.shape[1], image.shape[2])
        known = None if self._read_mask is None else self._read_mask(item, size)
        mask = torch.zeros(size) if known is None else known
        pixels, warped = self._transform(image, mask.unsqueeze(0))
        return pixels, warped


def eval_loader(images: EvalImages, *, batch_size: int, workers: int) -> DataLoader[tuple[Tensor, Tensor]]:
    """Batches in order."""
    return DataLoader(images, batch_size=batch_size, num_workers=workers)
