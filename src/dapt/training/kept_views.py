"""Random views of training images in a bank of features: under which name each is kept, and how many there may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from typing import Any

from torch import Tensor

from dapt.console import say
from dapt.data.items import Item
from dapt.data.load.loader import TrainImages
from dapt.digests import content_digest
from dapt.model.needs import FULL
from dapt.model.prompted_clip import PromptedClip
from dapt.model.views import ViewMaking
from dapt.training.feature_bank import FeatureBank, rounded
from dapt.wording import counted

USABLE, AREA = "usable", "area"  # of the mask, kept beside the features by name
HALF_BYTES = 2
COMPUTED_AGAIN = "Only {} of {} views fit (features_mb), every run computes the others."
SEEN_AGAIN = "Only {} of {} epochs have crops of their own (features_mb), the others see them again."


def views_that_fit(
    bank: FeatureBank, views: int, images: int, width: int, limit: int, others: str = COMPUTED_AGAIN
) -> int:
    """As many of some views as may be kept, one at least; their size is said, and what becomes of the others.

    Args:
        width: numbers that are kept of a view of an image. limit: bytes of all views together.
        others: what becomes of those that do not fit, a sentence with places for both numbers.
    """
    each = max(1, images * width * HALF_BYTES)
    kept = max(1, min(views, limit // each))
    say(
        f"features of {counted(kept, 'view')} of {counted(images, 'image')} are kept in {bank.folder}: "
        f"{kept * each / 1e6:.1f} MB at most (dapt cache)"
    )
    if kept < views:
        say(others.format(kept, views))
    return kept


class KeptViews:
    """Where the views of training images are kept.

    Args:
        bank: the folder. digests: of the content of images. transform: what decides a random view beside its number:
            JSON values; its ``both``, that it depends on the masks. making: how foreground and background are made.
        each: views of an image that a step reads, 1 or 3. limit: bytes of all views together.
    """

    def __init__(
        self,
        bank: FeatureBank,
        digests: Callable[[Sequence[Item]], list[str]],
        transform: Mapping[str, Any],
        making: ViewMaking,
        each: int,
        limit: int,
    ) -> None:
        self.bank = bank
        self._digests = digests
        self._transform = dict(transform)
        self._making = making
        self._each = each
        self._limit = limit
        self._images: tuple[list[Item], list[str]] = ([], [])
        self._masks: tuple[list[Tensor | None], str] | None = None

    def views_for(self, epochs: int, images: int, model: PromptedClip) -> int:
        """A view for each epoch, or as many as may be kept, which is said."""
        return self._fitting(epochs, images, model, SEEN_AGAIN)

    def kept_of(self, views: int, images: int, model: PromptedClip) -> int:
        """How many of the views that a method asks for are kept, which is said; every run computes the others."""
        return self._fitting(views, images, model, COMPUTED_AGAIN)

    def _fitting(self, views: int, images: int, model: PromptedClip, others: str) -> int:
        width = model.clip.embed_dim if model.prompts.at_rest().projected else model.clip.image.width
        return views_that_fit(self.bank, views, images, width * self._each, self._limit, others)

    def load(self, images: TrainImages, number: int, names: Sequence[str]) -> dict[str, Tensor]:
        """What is kept of a view, by name: a row for each image."""
        found: dict[str, Tensor] = {}
        for name in names:
            rows = self.bank.load(self._key(images, number, name), len(images))
            if name in rows:
                found[name] = rows[name]
        return found

    def making(self, images: TrainImages, number: int, *, keep: bool = True) -> AbstractContextManager[None]:
        """Where a view is made, see `FeatureBank.making`; nobody waits for one that there is no room for."""
        return self.bank.making(self._key(images, number, FULL)) if keep else nullcontext()

    def save(
        self, images: TrainImages, number: int, rows: Mapping[str, Tensor], *, keep: bool = True
    ) -> dict[str, Tensor]:
        """Keep rows that were made or read; what is returned is what a later run reads.

        Args:
            keep: there is room for this view; without, rows are only rounded as those that are kept.
        """
        found = {name: rounded(values) if values.is_floating_point() else values for name, values in rows.items()}
        for name, values in found.items():
            key = self._key(images, number, name)
            if keep and not self.bank.has(key):
                self.bank.save(key, {name: values}, {"view": number, "of": name, "images": len(images)})
        return found

    def _key(self, images: TrainImages, number: int, name: str) -> str:
        view: dict[str, Any] = {**self._transform, "number": number, "of": name}
        if name != FULL or self._transform.get("both"):
            view |= {"masks": self._masks_of(images), "soft": images.soft, **asdict(self._making)}
        return self.bank.key(self._content(images), view)

    def _content(self, images: TrainImages) -> list[str]:
        if self._images[0] is not images.items:
            self._images = (images.items, self._digests(images.items))
        return self._images[1]

    def _masks_of(self, images: TrainImages) -> str:
        if self._masks is None or self._masks[0] is not images.masks:
            self._masks = (images.masks, content_digest(images.masks))
        return self._masks[1]
