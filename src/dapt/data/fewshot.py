"""Few-shot samples, equal to the field's published lists (CoOp, arXiv 2109.01134, and all that follow it)."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T")


def groups_by_label(labels: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """Positions of each label, labels in order of first appearance."""
    groups: dict[Hashable, list[int]] = {}
    for position, label in enumerate(labels):
        groups.setdefault(label, []).append(position)
    return groups


def sample_few_shot(
    train_labels: Sequence[Hashable], val_labels: Sequence[Hashable], shots: int, seed: int
) -> tuple[list[int], list[int]]:
    """Positions of the few-shot training and validation images.

    One generator seeded with `seed` draws `shots` items from each training class, classes in order of first
    appearance, then goes on to draw min(shots, 4) from each validation class. A class with fewer items gives
    all of them, in their order. ``shots`` 0 takes everything.

    Returns:
        positions into the training list and into the validation list.
    """
    if shots < 1:
        return list(range(len(train_labels))), list(range(len(val_labels)))
    generator = random.Random(seed)
    train = _draw(groups_by_label(train_labels), shots, generator)
    val = _draw(groups_by_label(val_labels), min(shots, 4), generator)
    return train, val


def _draw(groups: dict[Hashable, list[int]], count: int, generator: random.Random) -> list[int]:
    drawn: list[int] = []
    for positions in groups.values():
        drawn += generator.sample(positions, count) if len(positions) >= count else positions
    return drawn


def draw_by_content(labels: Sequence[Hashable], contents: Sequence[str], count: int, seed: int) -> list[int]:
    """Positions of `count` items of each class, those whose content comes first in an order that `seed` decides.

    Another item of a class replaces at most one that was drawn. ``count`` 0 takes everything.
    """
    if count < 1:
        return list(range(len(labels)))

    def order(position: int) -> tuple[bytes, int]:
        text = f"draw {seed} {contents[position]}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(text).digest(), position

    groups = groups_by_label(labels)
    return [position for group in groups.values() for position in sorted(sorted(group, key=order)[:count])]


def split_off_validation(labels: Sequence[Hashable], fraction: float, seed: int) -> tuple[list[int], list[int]]:
    """Positions of training and validation images when a data set has no validation split of its own.

    Per class in order of first appearance the positions are shuffled; the first ``round(fraction * n)`` go
    to validation.

    Returns:
        training positions, validation positions.
    """
    generator = random.Random(seed)
    train: list[int] = []
    val: list[int] = []
    for positions in groups_by_label(labels).values():
        shuffled = list(positions)
        generator.shuffle(shuffled)
        count = round(fraction * len(shuffled))
        val += shuffled[:count]
        train += shuffled[count:]
    return train, val


def hold_out(labels: Sequence[Hashable], drawn: Sequence[int], shots: int, seed: int) -> tuple[list[int], list[int]]:
    """Positions of training and validation images, both from training images: for a search in data without validation.

    With shots the validation images, min(shots, 4) of each class, are drawn from those that were not drawn for
    training, which stay as they are; a class without others has none. Without, they are a fifth of every class.

    Args:
        drawn: positions of the training images. shots: of each class, 0 for all.

    Returns:
        training positions, validation positions.
    """
    if shots < 1:
        return split_off_validation(labels, 0.2, seed)
    taken = set(drawn)
    others = [position for position in range(len(labels)) if position not in taken]
    groups = groups_by_label([labels[position] for position in others])
    held_out = _draw(groups, min(shots, 4), random.Random(seed))
    return list(drawn), [others[position] for position in held_out]
