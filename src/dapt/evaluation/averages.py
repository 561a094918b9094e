"""Averages over seeds and data sets, as the field takes them (CoOp, arXiv 2109.01134, and all that follow it).

Over seeds: mean and population standard deviation. Base-to-novel: the harmonic mean of a data set is that of its
seed-averaged accuracies; the harmonic mean of an average over data sets is that of its two averages, not the mean of
harmonic means. Published figures average *printed* accuracies, often of one decimal: ``rounded=1`` does the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from dapt.evaluation.metrics import harmonic_mean

BASE, NOVEL, HARMONIC = "base", "novel", "harmonic_mean"


@dataclass(frozen=True)
class Average:
    """A figure over seeds.

    Attributes:
        mean: in the unit of the figure. std: population standard deviation (divided by n). count: n.
    """

    mean: float
    std: float
    count: int

    @property
    def ci95(self) -> float:
        """Half the width of the 95% confidence interval as the field reports it: ``1.96 * std / sqrt(n)``."""
        return 1.96 * self.std / sqrt(self.count)


def average(values: Iterable[float | None], *, rounded: int | None = None) -> Average | None:
    """Mean and spread of the values that are there; None if none is.

    Args:
        rounded: round every value to so many decimals first.
    """
    known = [value if rounded is None else round(value, rounded) for value in values if value is not None]
    if not known:
        return None
    mean = sum(known) / len(known)
    std = sqrt(sum((value - mean) ** 2 for value in known) / len(known))
    return Average(mean, std, len(known))


def over_seeds(runs: Sequence[Mapping[str, float | None]], *, rounded: int | None = None) -> dict[str, Average]:
    """The average of every figure that some run has.

    Args:
        runs: figures by name, one mapping per seed, as ``metrics`` in results.json. rounded: see `average`.
    """
    names = list(dict.fromkeys(name for run in runs for name in run))
    found = {name: average([run.get(name) for run in runs], rounded=rounded) for name in names}
    return {name: value for name, value in found.items() if value is not None}


def base_to_novel(
    runs: Sequence[Mapping[str, float | None]], *, prefix: str = "test", rounded: int | None = None
) -> dict[str, float] | None:
    """``base``, ``novel`` and ``harmonic_mean`` of one data set from the figures of its seeds.

    The harmonic mean is that of the two averages. None if no run has both accuracies; runs without are left out.
    """
    keys = (f"{prefix}/accuracy_base", f"{prefix}/accuracy_novel")
    both = [run for run in runs if all(run.get(key) is not None for key in keys)]
    base, novel = (average([run[key] for run in both], rounded=rounded) for key in keys)
    if base is None or novel is None:
        return None
    return with_harmonic_mean({BASE: base.mean, NOVEL: novel.mean})


def over_data_sets(figures: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The mean over data sets of every figure that all of them have; the harmonic mean is made anew from two of them.

    Args:
        figures: data set to figures, such as ``{"dtd": {"base": 79.4, "novel": 41.2}}``.
    """
    rows = list(figures.values())
    names = [name for name in (rows[0] if rows else {}) if name != HARMONIC and all(name in row for row in rows)]
    return with_harmonic_mean({name: sum(row[name] for row in rows) / len(rows) for name in names})


def with_harmonic_mean(figures: Mapping[str, float]) -> dict[str, float]:
    """The figures and, where there are ``base`` and ``novel``, their ``harmonic_mean``."""
    harmonic = harmonic_mean(figures.get(BASE), figures.get(NOVEL))
    return dict(figures) if harmonic is None else {**figures, HARMONIC: harmonic}
