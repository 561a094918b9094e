"""Over which values a search for settings goes; methods declare theirs beside their options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, evenly or, `log`, evenly in their logarithm; `whole`: whole numbers only."""

    low: float
    high: float
    log: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]


def choice(*values: Any) -> Choice:
    """One of `values`."""
    return Choice(values)


Space = Mapping[str, Range | Choice]
