"""Training images as what a frozen image tower makes of them, for methods that train nothing within it.

Such a method (ProLIP) needs the tower once for each view of an image, not in every step. As published, a number of
random views of each image is made without gradient, and the epochs take turns: epoch t (from 0) reads view
``(t + 1) mod K``, so view 1 comes first and view 0 last. A view is made when it is first read, in parts of a fixed
order and size, so that a resumed run gets the same numbers. Where images are shown on the backgrounds of others
(``fill=exchange``) the order is a random one for each view, and the image ahead of a part lends to its first, so that
who lends to whom depends neither on the classes nor on the size of the parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from dapt.config import RunConfig
from dapt.data.batch import Batch
from dapt.data.load.loader import TrainImages, known_of, train_loader
from dapt.finite import require_finite
from dapt.model.needs import FULL
from dapt.model.prompted_clip import PromptedClip
from dapt.model.views import with_both_halves
from dapt.seeds import mix_seed
from dapt.training.step import TrainStep

USABLE, AREA = "usable", "area"  # of the mask, kept beside the features by name


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


class SavedViews:
    """The features of views of training images, made once, in the memory of the machine.

    They take ``views * images * (views of a step) * width * 4`` bytes, less where `views` is 0.

    Args:
        images: the training images. model: its image tower makes the features, see `PromptedTowers.tower_features`.
        views: random views of each image; 0: every epoch has new ones, which are not kept.
        size: images that go through the tower together. workers: loader processes. seed: of the order of lenders.

    Attributes:
        images, items: as given.
    """

    def __init__(
        self, images: TrainImages, model: PromptedClip, views: int, *, size: int, workers: int, seed: int = 0
    ) -> None:
        self.images = images
        self.items = images.items
        self._model = model
        self._views = views
        self._size = size
        self._workers = workers
        self._seed = seed
        self._seen: dict[int, _View] = {}

    def __len__(self) -> int:
        return len(self.images)

    def with_masks(self, masks: Sequence[Tensor | None], trust: Tensor | None = None) -> SavedViews:
        """The same with other masks; features of whole images stay."""
        images = self.images.with_masks(masks, trust)
        how = {"size": self._size, "workers": self._workers, "seed": self._seed}
        changed = SavedViews(images, self._model, self._views, **how)
        changed._seen = {number: view.without_masks() for number, view in self._seen.items() if FULL in view.rows}
        return changed

    def close(self) -> None:
        """End the loader processes, if there are any."""
        self.images.close()

    def view_of(self, epoch: int) -> int:
        """The number of the view that an epoch reads."""
        return (epoch + 1) % self._views if self._views else epoch + 1

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
        self._complete(
            view, number, order, sorted({place[at] // self._size for batch in batches for at in batch}), names
        )
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


def saved_where_possible(images: TrainImages, model: PromptedClip, config: RunConfig) -> TrainImages | SavedViews:
    """`images`, as features where the method trains nothing within the image tower."""
    views = model.prompts.saved_views
    if views is None:
        return images
    return SavedViews(images, model, views, size=config.eval_batch_size, workers=config.workers, seed=config.seed)


def load_epoch(
    images: TrainImages | SavedViews,
    batches: Sequence[Sequence[int]],
    step: TrainStep,
    *,
    epoch: int,
    epochs: int,
    workers: int,
    before: Sequence[int] | None = None,
) -> Iterator[Batch]:
    """The batches of an epoch for a training step, on its device.

    Args:
        before: the image ahead of each batch, where it is a part of one; it is loaded if it lends its background.

    Raises:
        DataError: an image cannot be read.
    """
    if isinstance(images, SavedViews):
        return images.load(batches, step.model.views_for(step.needs(epoch, epochs)), epoch=epoch)
    making, device = step.model.making, step.model.clip.device
    lenders = before if making.lends else None
    loaded = train_loader(images, batches, epoch=epoch, workers=workers, device=device, before=lenders)
    return (with_both_halves(batch, making) for batch in loaded)
