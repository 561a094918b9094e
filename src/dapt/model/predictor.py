"""Predictions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Prediction:
    """The most likely classes of one image, best first, with probabilities in 0..1."""

    path: Path
    classes: tuple[str, ...]
    probabilities: tuple[float, ...]
