"""A few of many, evenly chosen and in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def evenly(things: Sequence[T], most: int) -> list[T]:
    """At most so many of them, each the first of an equal part."""
    count = len(things)
    return list(things) if count <= most else [things[number * count // most] for number in range(most)]


def from_first_to_last(things: Sequence[T], most: int) -> list[T]:
    """At most so many of them, the first and the last among these."""
    count = len(things)
    return [things[place] for place in np.linspace(0, count - 1, min(most, count)).astype(int)] if count else []
