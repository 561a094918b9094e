"""How sure a figure is: bootstrap intervals of means over images, and McNemar's test of two models."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
AT_ONCE = 2_000_000  # drawn numbers in memory


@dataclass
class Means:
    """Means over images, whose intervals are found together: every resample is of images, the same for all figures.

    So figures of one image stay together, and the interval of a difference is that of a paired comparison.

    Args:
        images: how many there are. seed: of the resamples.
    """

    images: int
    seed: int
    _values: list[np.ndarray] = field(default_factory=list)
    _counted: list[np.ndarray] = field(default_factory=list)

    def add(self, values: np.ndarray, counted: np.ndarray) -> int:
        """Note a figure: `values` ``[N]`` of the images that are `counted` ``[N]``; returns its number."""
        self._values.append(np.where(counted, values, 0.0).astype(np.float32))
        self._counted.append(counted.astype(np.float32))
        return len(self._values) - 1

    def intervals(self, resamples: int = RESAMPLES) -> list[dict[str, float | int | None]]:
        """Of every figure its mean, in percent, the percentiles that hold 95% of the resamples, and how many images.

        The percentile bootstrap (Efron and Tibshirani 1993, An Introduction to the Bootstrap). None without images.
        """
        if not self._values:
            return []
        values, counted = np.stack(self._values, axis=1), np.stack(self._counted, axis=1)
        found = np.concatenate(list(self._drawn(values, counted, resamples))) if self.images else np.zeros((0, 0))
        rows: list[dict[str, float | int | None]] = []
        for place in range(values.shape[1]):
            number = int(counted[:, place].sum())
            if not number:
                rows.append({"value": None, "low": None, "high": None, "images": 0})
                continue
            column = found[:, place]
            low, high = np.nanquantile(column, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
            mean = float(values[:, place].astype(np.float64).sum()) / number
            rows.append({"value": 100 * mean, "low": 100 * float(low), "high": 100 * float(high), "images": number})
        return rows

    def _drawn(self, values: np.ndarray, counted: np.ndarray, resamples: int) -> Iterator[np.ndarray]:
        """Means of resampled images, a block of resamples at a time."""
        rng = np.random.default_rng(self.seed)
        block = max(1, min(resamples, AT_ONCE // self.images))
        for start in range(0, resamples, block):
            number = min(block, resamples - start)
            picked = rng.integers(self.images, size=(number, self.images))
            picked += (np.arange(number) * self.images)[:, None]
            weight = np.bincount(picked.ravel(), minlength=number * self.images).reshape(number, self.images)
            weight = weight.astype(np.float32)
            with np.errstate(invalid="ignore", divide="ignore"):
                yield (weight @ values).astype(np.float64) / (weight @ counted)


def mcnemar(only_first: int, only_second: int) -> float:
    """How probable a difference at least as large is between two equally good models that answered the same images.

    The exact two-sided test (McNemar 1947, Psychometrika 12): of the images that one of them alone answers rightly,
    half are expected to be each one's.
    """
    number, fewer = only_first + only_second, min(only_first, only_second)
    if not number:
        return 1.0
    whole = math.lgamma(number + 1)
    logs = (whole - math.lgamma(k + 1) - math.lgamma(number - k + 1) - number * math.log(2) for k in range(fewer + 1))
    return min(1.0, 2 * sum(map(math.exp, logs)))
