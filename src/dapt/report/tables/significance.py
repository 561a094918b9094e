"""Whether a difference between two methods is more than the spread: paired over seeds and data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dapt.errors import ConfigError
from dapt.report.tables.grid import Cell

DRAWS = 10_000
LEVEL = 0.95
EXACT = 9  # decimals of a difference in percent; equal differences must not differ by the rounding of their last bits


@dataclass(frozen=True)
class Difference:
    """A method less another one, on what both were measured on.

    Attributes:
        mean: of the paired differences. low, high: bootstrap interval of 95%; equal to the mean of a single pair.
        pairs: how many. p: of the Wilcoxon signed-rank test, two-sided; None of too few pairs.
        holm: the same, corrected for the number of comparisons (Holm 1979). column: whose figures they are, where that
            is known.
    """

    mean: float
    low: float
    high: float
    pairs: int
    p: float | None = None
    holm: float | None = None
    column: str = ""


def difference(one: Cell, other: Cell, seed: int = 0) -> Difference | None:
    """`one` less `other`, paired by data set and seed; None where they have no pair.

    Args:
        seed: of the bootstrap draws.
    """
    common = sorted(set(one.values) & set(other.values))
    if not common:
        return None
    gaps = np.array([one.values[key] - other.values[key] for key in common])
    if len(gaps) == 1:
        return Difference(float(gaps[0]), float(gaps[0]), float(gaps[0]), 1)
    draws = np.random.default_rng(seed).integers(0, len(gaps), (DRAWS, len(gaps)))
    low, high = np.quantile(gaps[draws].mean(axis=1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(float(gaps.mean()), float(low), float(high), len(gaps), signed_rank(gaps.tolist()))


def signed_rank(gaps: Sequence[float]) -> float | None:
    """Two-sided p-value of the Wilcoxon signed-rank test (Wilcoxon 1945), exact where there are few pairs.

    Differences of zero are left out; None where nothing else is there.

    Raises:
        ConfigError: scipy is not installed.
    """
    try:
        from scipy.stats import wilcoxon
    except ImportError as error:
        raise ConfigError("Reports need scipy.", todo="Install it: pip install 'dapt[report]'.") from error
    there = [gap for gap in (round(gap, EXACT) for gap in gaps) if gap != 0]
    return float(wilcoxon(there).pvalue) if there else None


def with_holm(differences: Mapping[str, Difference]) -> dict[str, Difference]:
    """The differences with p-values corrected for their number (Holm 1979, Scand. J. Stat. 6)."""
    tested = sorted((found.p, name) for name, found in differences.items() if found.p is not None)
    corrected: dict[str, float] = {}
    highest = 0.0
    for place, (p, name) in enumerate(tested):
        highest = max(highest, min(p * (len(tested) - place), 1.0))
        corrected[name] = highest
    return {name: replace(found, holm=corrected.get(name)) for name, found in differences.items()}
