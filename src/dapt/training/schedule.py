"""The field's learning-rate schedule in closed form."""

from __future__ import annotations

import math


def learning_rate(epoch: int, *, base_lr: float, epochs: int, warmup_epochs: int = 1, warmup_lr: float = 1e-5) -> float:
    """Learning rate of a 0-based epoch: constant warm-up, then a cosine that starts after it.

    Equal to Dassl's cosine schedule with constant warm-up and recount, used by CoOp and everything built on
    it: the cosine spans `epochs`, so it has not come to its end when training stops.

    Args:
        epoch: 0-based epoch. base_lr: rate at the start of the cosine. epochs: length of the run.
        warmup_epochs: epochs at `warmup_lr` before the cosine.
    """
    if epoch < warmup_epochs:
        return warmup_lr
    return base_lr * 0.5 * (1.0 + math.cos(math.pi * (epoch - warmup_epochs) / epochs))
