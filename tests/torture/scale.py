"""How much of the torture is done: all of it with ``DAPT_TORTURE=long``, a few minutes' worth otherwise."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

LONG = os.environ.get("DAPT_TORTURE", "short") == "long"


def share(name: str, points: Sequence[T], short: int, long: int | None = None) -> list[T]:
    """So many of the points as the form wants, None: all; evenly spaced, the first one decided by the name."""
    count = long if LONG else short
    if count is None or len(points) <= count:
        return list(points)
    step = len(points) / count
    start = zlib.crc32(name.encode()) % 1000 / 1000 * step
    return [points[int(start + number * step)] for number in range(count)]


def cases(short: int, long: int) -> int:
    """How many random cases to try."""
    return long if LONG else short
