"""Labelled images of some of the classes of a data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dapt.data.items import UNLABELLED, ImageSet, Item
from dapt.data.load.check_images import check_images
from dapt.data.load.image_cache import ImageCache
from dapt.data.subsets import base_and_novel, keep_classes


@dataclass(frozen=True)
class LabelledImages:
    """Images of some classes: items, their labels numbered within `names`, and the class names.

    `Item.label` and `Item.labels` are numbered within `names`, too.
    """

    items: tuple[Item, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]


def select_classes(data: ImageSet, items: Sequence[Item], kept: Sequence[int]) -> LabelledImages:
    """The items of the classes `kept`, renumbered from 0.

    An image that may show several classes is kept if one of them is, and shows those of them only.
    """
    names = tuple(data.names[label] for label in kept)
    if data.multi_label:
        number = {label: index for index, label in enumerate(kept)}
        shown = [item for item in (_renumbered(item, number) for item in items) if item.labels]
        return LabelledImages(tuple(shown), tuple(item.label for item in shown), names)
    positions, labels = keep_classes([item.label for item in items], kept)
    chosen = (replace(items[position], label=label) for position, label in zip(positions, labels, strict=True))
    return LabelledImages(tuple(chosen), tuple(labels), names)


def _renumbered(item: Item, number: Mapping[int, int]) -> Item:
    labels = tuple(number[label] for label in item.labels or (item.label,) if label in number)
    return replace(item, label=labels[0] if labels else UNLABELLED, labels=labels)


def class_labels(data: ImageSet, subset: str) -> list[int]:
    """Labels of all, base or novel classes."""
    labels = list(range(len(data.names)))
    base, novel = base_and_novel(labels)
    return {"all": labels, "base": base, "novel": novel}[subset]


def checked_part(
    part: LabelledImages, skip_bad: bool, label: str, cache: ImageCache | None = None
) -> tuple[LabelledImages, int]:
    """The part without its damaged images, and how many those are; see `check_images`.

    Raises:
        DataError: there are some and `skip_bad` is false.
    """
    checked = check_images(part.items, skip_bad=skip_bad, label=label, cache=cache)
    if not checked.bad:
        return part, 0
    label_of = {id(item): number for item, number in zip(part.items, part.labels, strict=True)}
    return LabelledImages(checked.good, tuple(label_of[id(item)] for item in checked.good), part.names), len(
        checked.bad
    )
