"""The base-to-novel split of the classes (CoCoOp, arXiv 2203.05557)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def base_and_novel(labels: Iterable[int]) -> tuple[list[int], list[int]]:
    """Labels sorted; the first ceil(n/2) are base classes, the rest novel ones."""
    ordered = sorted(set(labels))
    middle = math.ceil(len(ordered) / 2)
    return ordered[:middle], ordered[middle:]


def keep_classes(labels: Sequence[int], kept: Sequence[int]) -> tuple[list[int], list[int]]:
    """Positions of the items whose label is kept, and their labels renumbered from 0 in the order of `kept`."""
    new_label = {label: index for index, label in enumerate(kept)}
    positions = [position for position, label in enumerate(labels) if label in new_label]
    return positions, [new_label[labels[position]] for position in positions]
