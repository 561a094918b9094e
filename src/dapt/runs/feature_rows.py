"""What a file of features says of each image beside its feature: its name, class and split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dapt.console import warn, writable
from dapt.data.items import UNLABELLED, ImageSet, Item
from dapt.data.read.plain import PLAIN
from dapt.wording import counted

BETWEEN = "|"  # classes of an image that shows several, as tables of images may have it


@dataclass(frozen=True)
class FeatureRow:
    """One image.

    Attributes:
        image: its path within the data. label: its class, the first where it shows several, -1 where none is known.
        classname: the name of the class, or of all of them with `BETWEEN` in between; empty where none is known.
        split: train, val or test; empty where the data has no splits.
    """

    image: str
    label: int
    classname: str
    split: str


def feature_rows(data: ImageSet, items: Sequence[Item], split: str) -> list[FeatureRow]:
    """The rows of some images of a data set.

    Args:
        split: of all images, or ``all``: each has the first of its own.
    """
    split_of: dict[object, str] = {}
    for name, members in data.splits.items():
        if name != PLAIN:
            for item in members:
                split_of.setdefault(item.path, name)
    rows = []
    changed = 0
    for item in items:
        image = writable(item.name)
        changed += image != item.name
        own = split_of.get(item.path, "") if split == "all" else split
        rows.append(FeatureRow(image, item.label, _classname(data, item), own))
    if changed:
        warn(f"{counted(changed, 'name')} of images hold undecodable bytes, which are written as escapes.")
    return rows


def _classname(data: ImageSet, item: Item) -> str:
    labels = item.labels or ((item.label,) if item.label != UNLABELLED else ())
    return BETWEEN.join(data.names[label] for label in labels)
