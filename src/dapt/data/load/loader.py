"""Batches: which images form them, and how they are loaded, reproducibly and without global state.

Every random draw of an image is seeded by (seed, epoch, position), so a resumed run, another number of loader
processes or of training processes sees the same pixels.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, default_collate

from dapt.data.batch import Batch
from dapt.data.items import Item
from dapt.data.load.image_cache import ImageCache
from dapt.data.load.images import image_tensor
from dapt.data.load.pixels import max_megapixels, use_option
from dapt.data.load.prefetch import in_threads, prefetch
from dapt.data.load.reading import Reading, current, use_reading
from dapt.data.load.resize import resize_map
from dapt.data.load.transforms import Joint, RandomJoint
from dapt.environment import cores
from dapt.errors import DaptError
from dapt.seeds import mix_seed

Key = tuple[int, int]  # epoch and position
Sample = tuple[Tensor, int, Tensor, bool]
Collated = tuple[Tensor, Tensor, Tensor, Tensor]
EVAL_AHEAD = 1  # batches: of 100 images of 224 pixels one takes 60 MB
ReadMask = Callable[[Item, tuple[int, int]], "Tensor | None"]


class TrainImages(Dataset[Sample]):
    """Training images with their masks, warped together.

    Args:
        items: images. labels: class of each, renumbered for the run.
        transform: joint transform. load_image: item to uint8 ``[3, H, W]``. seed: of the augmentation.
        masks: per item a float mask of any resolution covering the whole image, or None; None: no item has one.
        soft: masks are maps to interpolate, not hard masks.
        targets: ``[N, C]`` of 0 and 1: the classes each image shows, where it may show several; None: one each.
        weights: ``[N]`` what each image counts in the classification loss, of mean 1; None: all the same.
        trust, background: ``[N]``, as of a `Batch`; None: all the same, and none is known.
    """

    def __init__(
        self,
        items: Sequence[Item],
        labels: Sequence[int],
        transform: RandomJoint,
        load_image: ImageCache,
        seed: int,
        *,
        masks: Sequence[Tensor | None] | None = None,
        soft: bool = False,
        targets: Tensor | None = None,
        weights: Tensor | None = None,
        trust: Tensor | None = None,
        background: Tensor | None = None,
    ) -> None:
        self.items = list(items)
        self.labels = list(labels)
        self.masks: list[Tensor | None] = [None] * len(self.items) if masks is None else list(masks)
        self.soft = soft
        self.targets = targets
        self.weights = weights
        self.trust = trust
        self.background = background
        self._transform = transform
        self._load = load_image
        self._seed = seed
        self._processes: _Processes | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, key: Key) -> Sample:
        """One warped sample: pixels, label, mask, whether the mask is of use.

        Raises:
            DataError: the image cannot be read.
        """
        epoch, position = key
        image = self._load(self.items[position])
        known = self.masks[position]
        mask = None
        if known is not None:
            mask = resize_map(known, (image.shape[1], image.shape[2]), soft=self.soft).unsqueeze(0)
        generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, position))
        pixels, warped = self._transform(image, mask, generator=generator)
        # A crop that shows only foreground or only background has no second view to learn from.
        usable = mask is not None and 0.0 < float(warped.mean()) < 1.0
        return pixels, self.labels[position], warped, usable

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_processes": None}

    def with_masks(self, masks: Sequence[Tensor | None], trust: Tensor | None = None) -> TrainImages:
        """The same images with other masks and `trust`; loader processes hold copies of the old ones and are ended."""
        self.close()
        changed = copy.copy(self)
        changed.masks = list(masks)
        changed.trust = trust
        return changed

    def processes(self, workers: int, *, pin: bool) -> _Processes:
        """Loader processes: those of the last epoch, or new ones."""
        if self._processes is None or not self._processes.fits(workers, pin=pin):
            self.close()
            self._processes = _Processes(self, workers, pin=pin)
        return self._processes

    def close(self) -> None:
        """End the loader processes, if there are any."""
        self._processes = None


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


def _collate(samples: list[Sample]) -> Collated:
    pixels, labels, masks, usable = zip(*samples, strict=True)
    return torch.stack(pixels), torch.tensor(labels), torch.stack(masks), torch.tensor(usable)


def train_loader(
    images: TrainImages,
    batches: Sequence[Sequence[int]],
    *,
    epoch: int,
    workers: int,
    device: torch.device,
    before: Sequence[int] | None = None,
) -> Iterator[Batch]:
    """The batches of one epoch on `device`.

    With `workers` they are made by that many processes, which stay for the next epoch (`TrainImages.close` ends
    them); without, by one thread ahead of the step, or on the CPU, whose cores the step needs, one at a time.

    Args:
        before: for each batch the position of the image ahead of its first one, to be loaded, too; None: none is.

    Raises:
        DataError: an image cannot be read.
    """
    pin = device.type == "cuda"
    ahead = [[]] * len(batches) if before is None else [[position] for position in before]
    keys = [[(epoch, position) for position in (*first, *batch)] for first, batch in zip(ahead, batches, strict=True)]

    def load(batch: list[Key]) -> Collated:
        pixels, labels, masks, usable = _collate([images[key] for key in batch])
        if pin:
            with torch.cuda.device(device):  # that of this thread is the first one, whatever the main thread's is
                return pixels.pin_memory(), labels.pin_memory(), masks.pin_memory(), usable.pin_memory()
        return pixels, labels, masks, usable

    loaded: Iterator[Collated]
    if workers:
        loaded = images.processes(workers, pin=pin).epoch(keys)
    elif device.type == "cpu":
        loaded = map(load, keys)
    else:
        loaded = prefetch(load, keys)
    for positions, parts in zip(batches, loaded, strict=True):
        pixels, labels, masks, usable = (part.to(device, non_blocking=True) for part in parts)
        own = slice(len(parts[1]) - len(positions), None)
        first = None if before is None else (pixels[:1], masks[:1], usable[:1])
        known = known_of(images, positions, device)
        yield Batch(pixels[own], labels[own], masks[own], usable[own], **known, before=first)


def known_of(images: TrainImages, positions: Sequence[int], device: torch.device) -> dict[str, Any]:
    """What is known of each image whatever its view: the fields of a `Batch` by name."""
    per_image = {"targets": images.targets, "weights": images.weights, "trust": images.trust}
    known = {name: _rows(values, positions, device) for name, values in per_image.items()}
    return {**known, "background": _rows(images.background, positions, device, torch.long)}


def _rows(
    values: Tensor | None, positions: Sequence[int], device: torch.device, kind: torch.dtype = torch.float32
) -> Tensor | None:
    if values is None:
        return None
    rows = values[list(positions)].to(kind)
    return rows.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else rows.to(device)


def targets_of(items: Sequence[Item], classes: int) -> Tensor | None:
    """Which of the classes each image shows, ``[N, C]`` of 0 and 1; None where images show one class each."""
    if not any(item.labels for item in items):
        return None
    targets = torch.zeros(len(items), classes)
    for row, item in enumerate(items):
        targets[row, list(item.labels or (item.label,))] = 1.0
    return targets


class _Processes:
    """Loader processes that outlive an epoch."""

    def __init__(self, images: TrainImages, workers: int, *, pin: bool) -> None:
        self._started_with = (workers, pin)
        self._keys: list[list[Key]] = []
        self._loader = DataLoader(
            _Carrying(images),
            batch_sampler=self._keys,
            num_workers=workers,
            collate_fn=_Collate(_collate),
            pin_memory=pin,
            persistent_workers=True,
            worker_init_fn=_start(),
            generator=torch.Generator(),  # else every epoch draws from the global one
        )

    def fits(self, workers: int, *, pin: bool) -> bool:
        """Whether these processes were started with the same settings."""
        return self._started_with == (workers, pin)

    def epoch(self, keys: list[list[Key]]) -> Iterator[Collated]:
        """The batches of `keys`."""
        self._keys[:] = keys
        for parts in self._loader:
            yield _checked(parts)


class _Carrying(Dataset[Any]):
    """Samples of `images`, or the error instead: raised in a loader process it would arrive as a traceback."""

    def __init__(self, images: Dataset[Any]) -> None:
        self._images = images

    def __len__(self) -> int:
        return len(self._images)  # type: ignore[arg-type]

    def __getitem__(self, key: Any) -> Any:
        try:
            return self._images[key]
        except DaptError as error:
            return error


class _Collate:
    """`collate`, unless one of the samples is an error: that is the batch then."""

    def __init__(self, collate: Callable[[list[Any]], Any]) -> None:
        self._collate = collate

    def __call__(self, samples: list[Any]) -> Any:
        errors = [sample for sample in samples if isinstance(sample, DaptError)]
        return errors[0] if errors else self._collate(samples)


def _start() -> Callable[[int], None]:
    """What a loader process does first: take over the settings of the process, how images are read."""
    return partial(_take_over, max_megapixels(), current())


def _take_over(millions: float, reading: Reading, worker: int) -> None:
    use_option(millions)
    use_reading(reading)


def _checked(parts: Any) -> Any:
    if isinstance(parts, DaptError):
        raise parts
    return parts


class EvalImages(Dataset[tuple[Tensor, Tensor]]):
    """Images under the test transform, with a mask where there is one (all zeros elsewhere).

    Args:
        side: pixels that are needed along each side, see `draft_side`; None: all.
    """

    def __init__(
        self, items: Sequence[Item], transform: Joint, read_mask: ReadMask | None = None, side: int | None = None
    ) -> None:
        self.items = list(items)
        self._side = side
        self._transform = transform
        self._read_mask = read_mask

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        item = self.items[position]
        image = image_tensor(item.path, side=self._side)
        known = None if self._read_mask is None else self._read_mask(item, (image.shape[1], image.shape[2]))
        return self._transform(image, None if known is None else known.unsqueeze(0))


class EvalLoader:
    """Batches of `EvalImages` in order; see `eval_loader`."""

    def __init__(self, images: EvalImages, *, batch_size: int, workers: int) -> None:
        self._images = images
        self._starts = range(0, len(images), batch_size)
        self._batch_size = batch_size
        self._workers = workers
        self._loader = DataLoader(
            _Carrying(images),
            batch_size=batch_size,
            num_workers=workers,
            collate_fn=_Collate(default_collate),
            worker_init_fn=_start(),
            generator=torch.Generator(),
        )

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        if not self._workers:
            every = range(len(self._images))
            batches = [every[start : start + self._batch_size] for start in self._starts]
            for read in in_threads(self._images.__getitem__, batches, cores(), EVAL_AHEAD):
                pixels, warped = default_collate(read)
                yield pixels, warped
            return
        for parts in self._loader:
            pixels, warped = _checked(parts)
            yield pixels, warped


def eval_loader(images: EvalImages, *, batch_size: int, workers: int) -> EvalLoader:
    """Batches in order; iterating raises `DataError` where an image cannot be read, with any number of workers.

    With `workers` that many processes read them; without, threads of this one, as many as there are cores, which work
    ahead of the images' use.
    """
    return EvalLoader(images, batch_size=batch_size, workers=workers)
