"""Training images as what a frozen image tower makes of them, for methods that train nothing within it.

Such a method needs the tower once for each view of an image, not in every step. Random views of each image are made
without gradient, and the epochs take turns. For ProLIP there are K of them, as published: epoch t (from 0) reads view
``(t + 1) mod K``, so view 1 comes first and view 0 last. For methods with text prompts alone, where that is asked for
(``features``), epoch t reads view ``t mod K``: with as many views as epochs these are the crops of a run without saved
features. A view is made when it is first read, in parts of a fixed order and size, so that a resumed run gets the same
numbers. Where images are shown on the backgrounds of others (``fill=exchange``) the order is a random one for each
view, and the image ahead of a part lends to its first, so that who lends to whom depends neither on the classes nor on
the size of the parts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from dapt.config import RunConfig
from dapt.data.batch import Batch
from dapt.data.load.loader import TrainImages, epoch_batches, known_of, train_loader
from dapt.finite import require_finite
from dapt.model.needs import FULL
from dapt.model.prompted_clip import PromptedClip
from dapt.model.views import with_both_halves
from dapt.seeds import mix_seed
from dapt.training.kept_views import AREA, USABLE, KeptViews
from dapt.training.step import TrainStep


@dataclass
class _View:
    """What is known of one view of every image.

    Attributes:
        rows: by name, a row for each image. known: names and parts that are filled in.
    """

    rows: dict[str, Tensor] = field(default_factory=dict)
    known: set[tuple[str, int]] = field(default_factory=set)

    def put(self, name: str, part: int, where: Sequence[int], values: Tensor, count: int) -> None:
        """Fill in the rows `where` of `count`."""
        if name not in self.rows:
            self.rows[name] = values.new_zeros(count, *values.shape[1:])
        self.rows[name][list(where)] = values
        self.known.add((name, part))

    def without_masks(self) -> _View:
        """What does not depend on masks."""
        return _View({FULL: self.rows[FULL]}, {known for known in self.known if known[0] == FULL})


def _missing(view: _View, names: Sequence[str]) -> list[str]:
    """Which rows of the views `names`, and of the masks, are not there."""
    return [name for name in (*names, AREA, USABLE) if name not in view.rows]


class SavedViews:
    """The features of views of training images, made once, in the memory of the machine.

    They take ``views * images * (views of a step) * width * 4`` bytes, less where `views` is 0.

    Args:
        images: the training images. model: its image tower makes the features, see `PromptedTowers.tower_features`.
        views: random views of each image; 0: every epoch has new ones, which are not kept.
        size: images that go through the tower together. workers: loader processes. seed: of the order of lenders.
        first: the view that the first epoch reads. kept: where views are kept for later runs; None: nowhere.
        keep: views that may be kept there, those that are read first; None: all.

    Attributes:
        images, items: as given.
    """

    def __init__(
        self,
        images: TrainImages,
        model: PromptedClip,
        views: int,
        *,
        size: int,
        workers: int,
        seed: int = 0,
        first: int = 1,
        kept: KeptViews | None = None,
        keep: int | None = None,
    ) -> None:
        self.images = images
        self.items = images.items
        self._model = model
        self._views = views
        self._size = size
        self._workers = workers
        self._seed = seed
        self._first = first
        self._kept = kept
        self._keep = keep
        self._seen: dict[int, _View] = {}

    def __len__(self) -> int:
        return len(self.images)

    def with_masks(self, masks: Sequence[Tensor | None], trust: Tensor | None = None) -> SavedViews:
        """The same with other masks; features of whole images stay."""
        images = self.images.with_masks(masks, trust)
        how = {"size": self._size, "workers": self._workers, "seed": self._seed, "first": self._first}
        changed = SavedViews(images, self._model, self._views, **how, kept=self._kept, keep=self._keep)
        changed._seen = {number: view.without_masks() for number, view in self._seen.items() if FULL in view.rows}
        return changed

    def close(self) -> None:
        """End the loader processes, if there are any."""
        self.images.close()

    def view_of(self, epoch: int) -> int:
        """The number of the view that an epoch reads."""
        number = epoch + self._first
        return number % self._views if self._views else number

    def _may_keep(self, number: int) -> bool:
        """Whether a view is one of those that are read first."""
        return self._keep is None or number in {self.view_of(epoch) for epoch in range(self._keep)}

    def load(self, batches: Sequence[Sequence[int]], names: Sequence[str], *, epoch: int) -> Iterator[Batch]:
        """The batches of an epoch, with features of the views `names` in place of pixels.

        Raises:
            DataError: an image cannot be read. DaptError: a feature is not finite.
        """
        number = self.view_of(epoch)
        view = self._seen.get(number, _View())
        if self._views:
            self._seen[number] = view
        order = self._order(number)
        place = {at: rank for rank, at in enumerate(order)}
        wanted = sorted({place[at] // self._size for batch in batches for at in batch})
        if self._kept is None:
            self._complete(view, number, order, wanted, names)
        else:
            self._from_kept(self._kept, view, number, order, names)
        device = self._model.clip.device
        for positions in batches:
            rows = torch.tensor(positions)
            saved = {name: view.rows[name][rows].to(device) for name in names}
            labels = torch.tensor(self.images.labels)[rows].to(device)
            area, usable = (view.rows[name][rows].to(device) for name in (AREA, USABLE))
            nothing = torch.empty(len(rows), 0, device=device)
            known = known_of(self.images, positions, device)
            yield Batch(nothing, labels, area.view(-1, 1, 1, 1), usable, **known, saved=saved)

    def _order(self, number: int) -> list[int]:
        """The order in which the images of a view go through the tower."""
        count = len(self.images)
        if not self._model.making.lends:
            return list(range(count))
        return torch.randperm(count, generator=torch.Generator().manual_seed(mix_seed(self._seed, number))).tolist()

    def _from_kept(self, kept: KeptViews, view: _View, number: int, order: Sequence[int], names: Sequence[str]) -> None:
        """Make all of a view that is not kept, and keep it."""
        parts = range(math.ceil(len(order) / self._size))
        if self._read(kept, view, number, names):
            return
        keep = self._may_keep(number)
        with kept.making(self.images, number, keep=keep):
            wanted = _missing(view, names)
            if self._read(kept, view, number, names):  # another process has made it meanwhile
                return
            self._complete(view, number, order, parts, names)
            made = {name: view.rows[name] for name in wanted if name in view.rows}
            view.rows |= kept.save(self.images, number, made, keep=keep)

    def _read(self, kept: KeptViews, view: _View, number: int, names: Sequence[str]) -> bool:
        """Take what is kept of a view; whether that is all of it."""
        parts = range(math.ceil(len(self.images) / self._size))
        for name, rows in kept.load(self.images, number, _missing(view, names)).items():
            view.rows[name] = rows
            view.known |= {(name, part) for part in parts}
        return not _missing(view, names)

    def _complete(
        self, view: _View, number: int, order: Sequence[int], parts: Sequence[int], names: Sequence[str]
    ) -> None:
        """Make what is missing of a view, part by part."""
        count, making = len(self.images), self._model.making
        missing = [part for part in parts if not {(name, part) for name in (*names, USABLE)} <= view.known]
        images = [order[part * self._size : (part + 1) * self._size] for part in missing]
        loader = train_loader(
            self.images,
            images,
            epoch=number,
            workers=self._workers,
            device=self._model.clip.device,
            before=[order[part * self._size - 1] for part in missing] if making.lends and count > 1 else None,
        )
        for part, where, loaded in zip(missing, images, loader, strict=True):
            batch = with_both_halves(loaded, making)
            assert batch.masks is not None
            assert batch.usable is not None
            view.put(AREA, part, where, batch.masks.float().flatten(1).mean(dim=1).cpu(), count)
            view.put(USABLE, part, where, batch.usable.cpu(), count)
            for name in names:
                if (name, part) not in view.known:
                    found = require_finite(self._model.tower_features(batch, name).float(), "image features")
                    view.put(name, part, where, found.cpu(), count)


def saved_where_possible(
    images: TrainImages, model: PromptedClip, config: RunConfig, kept: KeptViews | None = None
) -> TrainImages | SavedViews:
    """`images`, as features where the method trains nothing within the image tower.

    Args:
        kept: where they are kept for later runs, if that is asked for.
    """
    how: dict[str, Any] = {"size": config.eval_batch_size, "workers": config.workers, "seed": config.seed, "kept": kept}
    views = model.prompts.saved_views
    if views is not None:
        distinct = min(views or config.epochs, config.epochs)
        keep = None if kept is None else kept.kept_of(distinct, len(images), model)
        return SavedViews(images, model, views, **how, keep=keep)
    if kept is None or model.prompts.trains_visual:
        return images
    return SavedViews(images, model, kept.views_for(config.epochs, len(images), model), **how, first=0)


def load_epoch(
    images: TrainImages | SavedViews,
    step: TrainStep,
    config: RunConfig,
    epoch: int,
    *,
    rank: int = 0,
    world: int = 1,
) -> tuple[int, Iterator[Batch]]:
    """The number of batches of an epoch, and the batches for a training step, on its device.

    Of several processes each has its share of every batch. The image ahead of a share, that of the process before, is
    loaded, too, where it lends its background; with batches of one image it is that of the batch before.

    Args:
        rank, world: index of this process and their number.

    Raises:
        DataError: an image cannot be read.
    """
    shares = partial(
        epoch_batches,
        len(images),
        config.batch_size,
        seed=config.seed,
        epoch=epoch,
        drop_last=config.drop_last,
        world=world,
    )
    batches = shares(rank=rank)
    if isinstance(images, SavedViews):
        needed = step.model.views_for(step.needs(epoch, config.epochs))
        return len(batches), images.load(batches, needed, epoch=epoch)
    making, device = step.model.making, step.model.clip.device
    before = None
    if making.lends and world > 1:
        before = [share[-1] for share in shares(rank=(rank - 1) % world)]
    elif making.lends and config.batch_size == 1 and len(images) > 1:
        before = [batch[-1] for batch in [batches[-1], *batches[:-1]]]
    loaded = train_loader(images, batches, epoch=epoch, workers=config.workers, device=device, before=before)
    return len(batches), (with_both_halves(batch, making) for batch in loaded)
